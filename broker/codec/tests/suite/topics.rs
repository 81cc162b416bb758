//! Topic names, topic filters and which filter matches which name (sections 4.7 and 4.8.2).

use talaria_codec::topic::{LEVELS_MAX, TopicError, matches, share, validate_filter, validate_name};

/// The examples of the standard, and what HARDENING names.
#[test]
fn names_of_the_standard() {
    // Sections 4.7.1.2, 4.7.1.3, 4.7.2.1 and 4.7.3.1.
    for name in ["sport/tennis/player1", "/finance", "/", "ACCOUNTS", "Accounts payable", "$SYS/monitor/Clients", "//"]
    {
        assert_eq!(validate_name(name), Ok(()), "{name}");
    }
    // Multi-byte first characters, and a byte order mark, which is a character (MQTT-1.5.4-3).
    for name in ["한국/서울", "😀", "\u{FEFF}t", "$"] {
        assert_eq!(validate_name(name), Ok(()), "{name}");
    }
    // MQTT-4.7.0-1, MQTT-3.3.2-2: no wildcard in a name, wherever it stands.
    for name in ["#", "+", "sport/#", "sport/+/player1", "a#", "+a", "a/b+"] {
        assert_eq!(validate_name(name), Err(TopicError::WildcardInName), "{name}");
    }
}

#[test]
fn filters_of_the_standard() {
    // Sections 4.7.1.2 and 4.7.1.3.
    for filter in ["sport/tennis/player1/#", "sport/#", "#", "sport/tennis/#", "+", "+/tennis/#", "sport/+/player1"] {
        assert_eq!(validate_filter(filter), Ok(()), "{filter}");
    }
    for filter in ["/+", "+/+", "$SYS/#", "$SYS/monitor/+", "한/+/#", "+/😀", "/", "$share", "$shared/x"] {
        assert_eq!(validate_filter(filter), Ok(()), "{filter}");
    }
}

/// MQTT-4.7.1-1, MQTT-4.7.1-2.
#[test]
fn a_wildcard_fills_its_level_and_hash_is_last() {
    for filter in
        ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "a#", "+a", "#/", "#a", "##", "++", "+#", "a/+b/c", "#/#"]
    {
        assert_eq!(validate_filter(filter), Err(TopicError::WildcardMisplaced), "{filter}");
    }
}

/// MQTT-4.7.3-1 (CVE-2021-34432).
#[test]
fn a_topic_has_at_least_one_character() {
    assert_eq!(validate_name(""), Err(TopicError::Empty));
    assert_eq!(validate_filter(""), Err(TopicError::Empty));
}

/// MQTT-4.7.3-2.
#[test]
fn a_topic_has_no_nul() {
    for topic in ["\0", "a/\0", "\0/b", "a\0b"] {
        assert_eq!(validate_name(topic), Err(TopicError::Nul));
        assert_eq!(validate_filter(topic), Err(TopicError::Nul));
    }
    assert_eq!(validate_filter("$share/g\0/t"), Err(TopicError::Nul));
    assert_eq!(validate_filter("$share/g/t\0"), Err(TopicError::Nul));
}

/// MQTT-4.7.3-3, also with `$share/` in front of it.
#[test]
fn a_topic_has_at_most_65535_bytes() {
    let longest = "x".repeat(65_535);
    let longer = "x".repeat(65_536);
    assert_eq!(validate_name(&longest), Ok(()));
    assert_eq!(validate_filter(&longest), Ok(()));
    assert_eq!(validate_name(&longer), Err(TopicError::TooLong));
    assert_eq!(validate_filter(&longer), Err(TopicError::TooLong));
    let shared = format!("$share/g/{longest}");
    assert_eq!(validate_filter(&shared), Err(TopicError::TooLong));
    assert_eq!(validate_filter(&shared[..65_535]), Ok(()));
}

/// One short packet must not cost a step or a node for each of 32,000 levels.
#[test]
fn a_topic_has_at_most_so_many_levels() {
    let of_levels = |levels: usize| vec!["a"; levels].join("/");
    assert_eq!(validate_name(&of_levels(LEVELS_MAX)), Ok(()));
    assert_eq!(validate_filter(&of_levels(LEVELS_MAX)), Ok(()));
    for levels in [LEVELS_MAX + 1, 32_000] {
        assert_eq!(validate_name(&of_levels(levels)), Err(TopicError::TooManyLevels), "{levels}");
        assert_eq!(validate_filter(&of_levels(levels)), Err(TopicError::TooManyLevels), "{levels}");
        assert_eq!(validate_filter(&format!("$share/g/{}", of_levels(levels))), Err(TopicError::TooManyLevels));
    }
    assert_eq!(validate_name(&"/".repeat(65_535)), Err(TopicError::TooManyLevels));
}

/// MQTT-4.8.2-1, MQTT-4.8.2-2.
#[test]
fn a_shared_subscription_has_a_name_and_a_filter() {
    assert_eq!(share("$share/consumer1/sport/tennis/+"), Ok(Some(("consumer1", "sport/tennis/+"))));
    assert_eq!(share("$share/consumer2//finance"), Ok(Some(("consumer2", "/finance"))));
    assert_eq!(share("$share/g/#"), Ok(Some(("g", "#"))));
    assert_eq!(share("$share/g//"), Ok(Some(("g", "/"))));
    assert_eq!(share("$share"), Ok(None));
    assert_eq!(share("share/g/t"), Ok(None));
    for (filter, error) in [
        ("$share/", TopicError::ShareWithoutFilter),
        ("$share/g", TopicError::ShareWithoutFilter),
        ("$share/g/", TopicError::ShareWithoutFilter),
        ("$share//x", TopicError::ShareName),
        ("$share//", TopicError::ShareName),
        ("$share/+/x", TopicError::ShareName),
        ("$share/#/x", TopicError::ShareName),
        ("$share/g+/x", TopicError::ShareName),
        ("$share/g/a#", TopicError::WildcardMisplaced),
        ("$share/g/+a", TopicError::WildcardMisplaced),
    ] {
        assert_eq!(share(filter), Err(error), "{filter}");
        assert_eq!(validate_filter(filter), Err(error), "{filter}");
    }
}

/// The examples of sections 4.7.1.2, 4.7.1.3 and 4.7.2.1.
#[test]
fn matches_of_the_standard() {
    for (filter, names, not) in [
        (
            "sport/tennis/player1/#",
            &["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"][..],
            &["sport/tennis/player2", "sport/tennis"][..],
        ),
        ("sport/#", &["sport", "sport/", "sport/a"], &["sports", "/sport"]),
        (
            "sport/tennis/+",
            &["sport/tennis/player1", "sport/tennis/"],
            &["sport/tennis", "sport/tennis/player1/ranking"],
        ),
        ("sport/+", &["sport/"], &["sport", "sport/a/b"]),
        ("+/+", &["/finance"], &["finance", "/a/b"]),
        ("/+", &["/finance"], &["finance"]),
        ("+", &["finance"], &["/finance", "$SYS"]),
        ("#", &["finance", "/finance", "/"], &["$SYS", "$SYS/monitor/Clients"]),
        ("+/monitor/Clients", &["a/monitor/Clients"], &["$SYS/monitor/Clients"]),
        ("$SYS/#", &["$SYS", "$SYS/monitor/Clients"], &["SYS/monitor"]),
        ("$SYS/monitor/+", &["$SYS/monitor/Clients"], &["$SYS/monitor"]),
        ("ACCOUNTS", &["ACCOUNTS"], &["Accounts"]),
        ("한/+", &["한/국"], &["한국", "하/국"]),
    ] {
        for name in names {
            assert!(matches(filter, name), "{filter} and {name}");
        }
        for name in not {
            assert!(!matches(filter, name), "{filter} and {name}");
        }
    }
}

/// Every string of up to six characters of a small alphabet, against the rules said another way.
#[test]
fn short_filters_are_valid_as_a_model_says() {
    for filter in strings(&['a', '/', '+', '#', '$'], 6) {
        let levels: Vec<_> = filter.split('/').collect();
        let (last, others) = levels.split_last().unwrap();
        let fills = |level: &str| level == "+" || !level.contains(['+', '#']);
        let is_valid = !filter.is_empty() && others.iter().all(|level| fills(level)) && (*last == "#" || fills(last));
        assert_eq!(validate_filter(&filter).is_ok(), is_valid, "{filter}");
        assert_eq!(validate_name(&filter).is_ok(), !filter.is_empty() && !filter.contains(['+', '#']), "{filter}");
    }
}

/// Every short filter against every short name, and a model that works on lists of levels.
#[test]
fn short_filters_match_short_names_as_a_model_says() {
    let filters = strings(&['a', 'b', '/', '+', '#', '$'], 4);
    let names = strings(&['a', 'b', '/', '$'], 4);
    for filter in filters.iter().filter(|filter| validate_filter(filter).is_ok()) {
        for name in names.iter().filter(|name| validate_name(name).is_ok()) {
            let levels = |topic: &'_ str| topic.split('/').map(str::to_owned).collect::<Vec<_>>();
            let is_hidden = name.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'));
            let expected = !is_hidden && model(&levels(filter), &levels(name));
            assert_eq!(matches(filter, name), expected, "{filter} and {name}");
        }
    }
}

fn model(filter: &[String], name: &[String]) -> bool {
    match (filter, name) {
        ([hash], _) if hash == "#" => true,
        ([], []) => true,
        ([plus, filter @ ..], [_, name @ ..]) if plus == "+" => model(filter, name),
        ([one, filter @ ..], [other, name @ ..]) if one == other => model(filter, name),
        _ => false,
    }
}

/// All strings of the alphabet up to a length.
fn strings(alphabet: &[char], length_max: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut of_length = all.clone();
    for _ in 0..length_max {
        of_length = of_length.iter().flat_map(|one| alphabet.iter().map(move |next| format!("{one}{next}"))).collect();
        all.extend_from_slice(&of_length);
    }
    all
}

//! Random strings, binary data, topic names and filters.

use proptest::prelude::*;

/// Keeps a value for the rest of the run.
pub(crate) fn leaked<T>(values: Vec<T>) -> &'static [T] {
    values.leak()
}

fn leaked_text(text: String) -> &'static str {
    text.leak()
}

/// Any string of the standard: no U+0000 (MQTT-1.5.4-2), everything else, also empty and beginning with U+FEFF.
pub(crate) fn text() -> impl Strategy<Value = &'static str> + Clone {
    prop_oneof![
        4 => "[a-z0-9 ]{0,12}",
        3 => "[^\0]{0,8}",
        1 => "\u{FEFF}[\u{1}-\u{10FFFF}]{0,3}",
        // Longer than one byte of a variable byte integer says.
        1 => "[a-z]{120,300}",
    ]
    .prop_map(leaked_text)
}

/// Any bytes, also none.
pub(crate) fn binary() -> impl Strategy<Value = &'static [u8]> + Clone {
    prop_oneof![4 => prop::collection::vec(any::<u8>(), 0..20), 1 => prop::collection::vec(any::<u8>(), 120..300)]
        .prop_map(leaked)
}

fn level() -> impl Strategy<Value = String> + Clone {
    prop_oneof![3 => "[a-z]{0,4}", 1 => "[^\0/+#]{1,4}", 1 => "[가-힣😀-😎]{1,2}", 1 => r"\$[a-z]{0,3}"]
}

/// A topic name (section 4.7).
pub(crate) fn topic() -> impl Strategy<Value = &'static str> + Clone {
    prop::collection::vec(level(), 1..6).prop_map(|levels| leaked_text(or_slash(levels.join("/"))))
}

/// A topic filter (section 4.7), also of a shared subscription (section 4.8.2).
pub(crate) fn filter() -> impl Strategy<Value = &'static str> + Clone {
    let level = prop_oneof![3 => level(), 1 => Just("+".to_owned())];
    let plain = (prop::collection::vec(level, 1..5), any::<bool>()).prop_map(|(mut levels, ends_with_hash)| {
        if ends_with_hash {
            levels.push("#".to_owned());
        }
        or_slash(levels.join("/"))
    });
    // A random first level may be `$share`, which would ask for more.
    let plain = plain.prop_map(|filter| filter.replacen("$share/", "share/", 1));
    let shared = ("[a-z]{1,4}", plain.clone()).prop_map(|(name, filter)| format!("$share/{name}/{filter}"));
    prop_oneof![4 => plain, 1 => shared].prop_map(leaked_text)
}

/// One level without characters is the empty string, which is no topic (MQTT-4.7.3-1).
fn or_slash(topic: String) -> String {
    if topic.is_empty() { "/".to_owned() } else { topic }
}

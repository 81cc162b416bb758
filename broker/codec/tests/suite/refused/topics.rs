//! Topic names in packets. Which names there are is held in `suite/topics.rs`.

use talaria_codec::topic::{LEVELS_MAX, TopicError};
use talaria_codec::{Direction, Packet, ReasonCode, Rule, Version, decode};

use crate::wire::{block, field, packet, read, refusal};

/// A name that is none, and why.
fn wrong_names() -> Vec<(String, TopicError)> {
    vec![
        ("a/#".into(), TopicError::WildcardInName),
        ("+/b".into(), TopicError::WildcardInName),
        ("#".into(), TopicError::WildcardInName),
        ("a+".into(), TopicError::WildcardInName),
        ("a\0".into(), TopicError::Nul),
        (vec!["a"; LEVELS_MAX + 1].join("/"), TopicError::TooManyLevels),
        ("/".repeat(32_000), TopicError::TooManyLevels),
    ]
}

fn publish(topic: &str, version: Version, properties: &[u8]) -> Vec<u8> {
    let block = if version == Version::V5 { block(properties) } else { vec![] };
    packet(0x30, &[&*field(topic), &block, b"payload"].concat())
}

/// MQTT-3.3.2-2, MQTT-4.7.0-1, MQTT-4.7.3-2.
#[test]
fn a_publish_has_a_topic_name() {
    for (name, error) in wrong_names() {
        for version in [Version::V311, Version::V5] {
            for direction in [Direction::ToServer, Direction::ToClient] {
                let rule = refusal(&publish(&name, version, &[]), version, direction);
                assert_eq!(rule, Rule::TopicName(error), "{name:.20}");
            }
        }
    }
}

/// MQTT-4.7.3-1 (CVE-2021-34432). In 5.0 a topic alias may stand for it (section 3.3.2.1).
#[test]
fn an_empty_topic_needs_an_alias_and_5_0() {
    let direction = Direction::ToServer;
    let rule = refusal(&publish("", Version::V311, &[]), Version::V311, direction);
    assert_eq!(rule, Rule::TopicName(TopicError::Empty));
    assert_eq!(refusal(&publish("", Version::V5, &[]), Version::V5, direction), Rule::TopicMissing);
    let bytes = publish("", Version::V5, &[0x23, 0, 9]);
    let Ok(Packet::Publish(publish)) = read(&bytes, Version::V5, direction) else { panic!() };
    assert_eq!((publish.topic, publish.properties.topic_alias.map(u16::from)), ("", Some(9)));
}

/// MQTT-3.3.2-8.
#[test]
fn a_topic_alias_is_not_0() {
    for topic in ["", "t"] {
        let bytes = publish(topic, Version::V5, &[0x23, 0, 0]);
        for direction in [Direction::ToServer, Direction::ToClient] {
            let refused = decode(&bytes, Version::V5, direction).unwrap_err();
            assert_eq!(refused.rule(), Rule::TopicAliasZero);
            assert_eq!(refused.reason(), ReasonCode::TopicAliasInvalid);
        }
    }
}

/// Section 3.1.3.3: the same rules as for a PUBLISH; checked only later they were ways around in other brokers.
#[test]
fn a_will_has_a_topic_name() {
    let mut wrong = wrong_names();
    wrong.push((String::new(), TopicError::Empty));
    for (name, error) in wrong {
        for (level, version, none) in [(4, Version::V311, &[][..]), (5, Version::V5, &[0])] {
            let head = [&*field("MQTT"), &[level, 6, 0, 0], none, &field("c"), none].concat();
            let bytes = packet(0x10, &[&*head, &field(&name), &field("bye")].concat());
            assert_eq!(refusal(&bytes, version, Direction::ToServer), Rule::WillTopic(error), "{name:.20}");
        }
    }
}

/// MQTT-3.3.2-14, section 3.1.3.2.6.
#[test]
fn a_response_topic_is_a_topic_name() {
    for (name, error) in
        [("a/#", TopicError::WildcardInName), ("+", TopicError::WildcardInName), ("", TopicError::Empty)]
    {
        let property = [&[0x08][..], &field(name)].concat();
        let rule = refusal(&publish("t", Version::V5, &property), Version::V5, Direction::ToServer);
        assert_eq!(rule, Rule::ResponseTopic(error), "{name}");
        let head = [&*field("MQTT"), &[5, 6, 0, 0, 0], &field("c")].concat();
        let will = packet(0x10, &[&*head, &block(&property), &field("t"), &field("bye")].concat());
        assert_eq!(refusal(&will, Version::V5, Direction::ToServer), Rule::ResponseTopic(error), "{name}");
    }
}

/// CVE-2018-12543: a name that begins with `$` is a name; whether a client may use it is a matter of rights, which the
/// broker judges. So is one that begins with a character of several bytes, which cost another broker its router.
#[test]
fn any_first_character_is_taken() {
    for name in ["$", "$SYS/x", "$share/g/t", "$한", "한", "😀/a", "\u{FEFF}a", "é"] {
        for version in [Version::V311, Version::V5] {
            let bytes = publish(name, version, &[]);
            let Ok(Packet::Publish(publish)) = read(&bytes, version, Direction::ToServer) else { panic!("{name}") };
            assert_eq!(publish.topic, name);
        }
    }
}

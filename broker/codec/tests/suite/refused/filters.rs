//! Topic filters in packets. Which filters there are is held in `suite/topics.rs`.

use talaria_codec::topic::TopicError;
use talaria_codec::{Direction, Packet, Rule, Version};

use crate::wire::{field, packet, read, refusal};

fn subscribe(filters: &[(&str, u8)], version: Version) -> Vec<u8> {
    let none: &[u8] = if version == Version::V5 { &[0] } else { &[] };
    let filters: Vec<_> =
        filters.iter().flat_map(|(filter, options)| [field(filter), vec![*options]].concat()).collect();
    packet(0x82, &[&[0, 1][..], none, &filters].concat())
}

fn unsubscribe(filters: &[&str], version: Version) -> Vec<u8> {
    let none: &[u8] = if version == Version::V5 { &[0] } else { &[] };
    let filters: Vec<_> = filters.iter().flat_map(field).collect();
    packet(0xA2, &[&[0, 1][..], none, &filters].concat())
}

/// MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1, MQTT-4.8.2-1, MQTT-4.8.2-2: the filters of HARDENING, alone and behind a good
/// one, to subscribe and to unsubscribe.
#[test]
fn a_malformed_filter_is_refused() {
    let deep = vec!["+"; 32_000].join("/");
    for (filter, error) in [
        ("a#", TopicError::WildcardMisplaced),
        ("+a", TopicError::WildcardMisplaced),
        ("a/#/b", TopicError::WildcardMisplaced),
        ("", TopicError::Empty),
        ("a\0", TopicError::Nul),
        ("$share//x", TopicError::ShareName),
        ("$share/+/x", TopicError::ShareName),
        ("$share/g", TopicError::ShareWithoutFilter),
        ("$share/g/", TopicError::ShareWithoutFilter),
        ("$share/g/a#", TopicError::WildcardMisplaced),
        (&*deep, TopicError::TooManyLevels),
    ] {
        for version in [Version::V311, Version::V5] {
            for bytes in [
                subscribe(&[(filter, 1)], version),
                subscribe(&[("good/+", 0), (filter, 1)], version),
                unsubscribe(&[filter], version),
                unsubscribe(&["good/+", filter], version),
            ] {
                assert_eq!(refusal(&bytes, version, Direction::ToServer), Rule::TopicFilter(error), "{filter:.20}");
            }
        }
    }
}

/// MQTT-3.8.3-4: No Local says nothing about a subscription that several sessions share.
#[test]
fn a_shared_subscription_has_no_no_local() {
    let no_local = 0x04;
    let bytes = subscribe(&[("$share/g/t", no_local)], Version::V5);
    assert_eq!(refusal(&bytes, Version::V5, Direction::ToServer), Rule::NoLocalShared);
    for (filter, options) in [("$share/g/t", 0), ("$sharex/g/t", no_local), ("share/g/t", no_local)] {
        assert!(
            read(&subscribe(&[(filter, options)], Version::V5), Version::V5, Direction::ToServer).is_ok(),
            "{filter}"
        );
    }
}

/// Filters come in their order, each with its options, also twice the same.
#[test]
fn filters_are_read_in_their_order() {
    let bytes = subscribe(&[("b", 0x29), ("a/+", 0x00), ("b", 0x02)], Version::V5);
    let Ok(Packet::Subscribe(packet)) = read(&bytes, Version::V5, Direction::ToServer) else { panic!() };
    let filters: Vec<_> = packet.filters.iter().map(|filter| (filter.filter, filter.options.to_byte())).collect();
    assert_eq!(filters, [("b", 0x29), ("a/+", 0x00), ("b", 0x02)]);
}

/// 2 MiB hold 500,000 filters; reading them takes no memory. How many a session may have is the broker's to say.
#[test]
fn thousands_of_filters_are_read() {
    let filters = vec![("a", 0); 100_000];
    let bytes = subscribe(&filters, Version::V311);
    let Ok(Packet::Subscribe(packet)) = read(&bytes, Version::V311, Direction::ToServer) else { panic!() };
    assert_eq!(packet.filters.iter().count(), filters.len());
}

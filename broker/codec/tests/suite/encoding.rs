//! What cannot be written is refused, and then nothing was written.

use std::num::{NonZeroU16, NonZeroU32};

use talaria_codec::topic::TopicError;
use talaria_codec::{
    Ack, AckProperties, Auth, AuthProperties, ConnAck, ConnAckProperties, Connect, ConnectProperties, Direction,
    Disconnect, DisconnectProperties, EncodeError, Packet, Publish, PublishProperties, QoS, REMAINING_LENGTH_MAX,
    ReasonCode, ReasonCodes, Rule, SubAck, Subscribe, SubscribeFilter, SubscribeOptions, SubscribeProperties,
    USER_PROPERTIES_MAX, UnsubAck, Unsubscribe, Version, Will, WillProperties, encode_publish,
};

use crate::packets::any_packet;
use crate::random::check;
use crate::wire::{self, WAYS, block, field, written};

/// Refused with that error, and without a byte.
#[track_caller]
fn refused(packet: &Packet<'_>, version: Version, error: impl Into<EncodeError>) {
    let mut out = b"before".to_vec();
    assert_eq!(packet.encode(version, &mut out), Err(error.into()), "{packet:?}");
    assert_eq!(out, b"before");
}

fn id() -> NonZeroU16 {
    NonZeroU16::MIN
}

fn publish() -> Publish<'static> {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "t",
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"payload",
    }
}

#[test]
fn a_publish_that_contradicts_itself() {
    for version in [Version::V311, Version::V5] {
        // MQTT-2.2.1-2.
        let with_id = Publish { packet_id: Some(id()), ..publish() };
        refused(&Packet::Publish(with_id), version, Rule::PacketIdPresence);
        let without_id = Publish { qos: QoS::AtLeastOnce, ..publish() };
        refused(&Packet::Publish(without_id), version, Rule::PacketIdPresence);
        // MQTT-3.3.1-2.
        refused(&Packet::Publish(Publish { dup: true, ..publish() }), version, Rule::DupWithQoSZero);
        // MQTT-3.3.2-2, MQTT-4.7.3-3.
        let wildcard = Rule::TopicName(TopicError::WildcardInName);
        refused(&Packet::Publish(Publish { topic: "a/+", ..publish() }), version, wildcard);
        let topic = &*"t".repeat(65_536);
        refused(&Packet::Publish(Publish { topic, ..publish() }), version, Rule::TopicName(TopicError::TooLong));
    }
    refused(&Packet::Publish(Publish { topic: "", ..publish() }), Version::V5, Rule::TopicMissing);
    let empty = Rule::TopicName(TopicError::Empty);
    refused(&Packet::Publish(Publish { topic: "", ..publish() }), Version::V311, empty);
    let properties = PublishProperties { response_topic: Some("#"), ..Default::default() };
    let response = Rule::ResponseTopic(TopicError::WildcardInName);
    refused(&Packet::Publish(Publish { properties, ..publish() }), Version::V5, response);
}

#[test]
fn a_field_that_is_too_long() {
    let long_text = &*"x".repeat(65_536);
    let long = long_text.as_bytes();
    let connect = Connect::new(Version::V5, "c");
    let will = Will {
        topic: "t",
        payload: b"bye",
        qos: QoS::AtMostOnce,
        retain: false,
        properties: WillProperties::default(),
    };
    let long_will = Will { payload: long, ..will };
    let properties = WillProperties { correlation_data: Some(long), ..Default::default() };
    let long_property = Will { properties, ..will };
    for connect in [
        Connect::new(Version::V5, long_text),
        Connect { username: Some(long_text), ..connect },
        Connect { password: Some(long), ..connect },
        Connect { will: Some(long_will), ..connect },
        Connect { will: Some(long_property), ..connect },
    ] {
        refused(&Packet::Connect(connect), Version::V5, EncodeError::FieldTooLong);
    }
    let pairs = [(long_text, "value")];
    let properties = AckProperties { user_properties: pairs.as_slice().into(), ..Default::default() };
    refused(&Packet::PubAck(Ack { properties, ..Ack::success(id()) }), Version::V5, EncodeError::FieldTooLong);
    let mut out = Vec::new();
    let error = encode_publish(&mut out, Version::V5, false, QoS::AtMostOnce, false, long_text, None, &[], b"");
    assert_eq!((error, out.len()), (Err(EncodeError::FieldTooLong), 0));
}

/// `$share/` in front of a filter counts as well; it was once cut to a wrong length.
#[test]
fn a_shared_filter_that_is_too_long() {
    let filter = &*format!("$share/g/{}", "x".repeat(65_535));
    let error = Rule::TopicFilter(TopicError::TooLong);
    let filters = [SubscribeFilter { filter, options: SubscribeOptions::default() }];
    let subscribe = Subscribe { packet_id: id(), properties: Default::default(), filters: filters.as_slice().into() };
    let filters = [filter];
    let unsubscribe =
        Unsubscribe { packet_id: id(), properties: Default::default(), filters: filters.as_slice().into() };
    for version in [Version::V311, Version::V5] {
        refused(&Packet::Subscribe(subscribe), version, error);
        refused(&Packet::Unsubscribe(unsubscribe), version, error);
    }
}

/// MQTT-1.5.4-2.
#[test]
fn a_nul_in_a_string() {
    refused(&Packet::Connect(Connect::new(Version::V311, "a\0")), Version::V311, Rule::Nul);
    let properties = DisconnectProperties { reason_string: Some("\0"), ..Default::default() };
    let disconnect = Disconnect { reason: ReasonCode::ServerBusy, properties };
    refused(&Packet::Disconnect(disconnect), Version::V5, Rule::Nul);
}

/// 3.1.1 MQTT-3.1.2-22, 3.1.1 MQTT-3.1.3-8, sections 3.1.2.11.10 and 3.2.2.3.4.
#[test]
fn a_connect_and_a_connack_that_contradict_themselves() {
    let connect = Connect { password: Some(b"secret"), ..Connect::new(Version::V311, "c") };
    refused(&Packet::Connect(connect), Version::V311, Rule::PasswordWithoutUserName);
    let connect = Connect { clean_start: false, ..Connect::new(Version::V311, "") };
    refused(&Packet::Connect(connect), Version::V311, Rule::ClientIdEmpty);
    let properties = ConnectProperties { authentication_data: Some(b"data"), ..Default::default() };
    let connect = Connect { properties, ..Connect::new(Version::V5, "c") };
    refused(&Packet::Connect(connect), Version::V5, Rule::AuthenticationMethodMissing);
    let refusal = ConnAck { session_present: true, reason: ReasonCode::ServerBusy, ..Default::default() };
    refused(&Packet::ConnAck(refusal), Version::V5, Rule::SessionPresentInRefusal);
    let properties = ConnAckProperties { maximum_qos: Some(QoS::ExactlyOnce), ..Default::default() };
    refused(&Packet::ConnAck(ConnAck { properties, ..Default::default() }), Version::V5, Rule::PropertyValue);
    let without_word = ConnAck { reason: ReasonCode::MalformedPacket, ..Default::default() };
    refused(&Packet::ConnAck(without_word), Version::V311, Rule::ReasonCodeNotAllowed);
}

/// A packet that no receiver would take is not written, whoever is to send it.
#[test]
fn a_reason_that_does_not_belong() {
    let not_allowed = Rule::ReasonCodeNotAllowed;
    for (packet, error) in [
        (Packet::PubAck(Ack { reason: ReasonCode::ServerBusy, ..Ack::success(id()) }), not_allowed),
        (Packet::PubRel(Ack { reason: ReasonCode::NotAuthorized, ..Ack::success(id()) }), not_allowed),
        (Packet::Disconnect(Disconnect::with_reason(ReasonCode::ClientIdentifierNotValid)), not_allowed),
        (Packet::ConnAck(ConnAck { reason: ReasonCode::GrantedQoS1, ..Default::default() }), not_allowed),
        (Packet::Auth(Auth { reason: ReasonCode::NotAuthorized, properties: Default::default() }), not_allowed),
        (
            Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties: Default::default() }),
            Rule::AuthenticationMethodMissing,
        ),
    ] {
        refused(&packet, Version::V5, error);
    }
    // Each of these is for one side, and together for none.
    let properties = DisconnectProperties { session_expiry_interval: Some(1), ..Default::default() };
    let both = Disconnect { reason: ReasonCode::ServerBusy, properties };
    refused(&Packet::Disconnect(both), Version::V5, Rule::SessionExpiryFromServer);
    let auth = Auth { reason: ReasonCode::Success, properties: AuthProperties::default() };
    refused(&Packet::Auth(auth), Version::V311, Rule::NotInThisVersion);
}

#[test]
fn lists_that_are_empty_or_do_not_belong() {
    for version in [Version::V311, Version::V5] {
        let subscribe = Subscribe { packet_id: id(), properties: Default::default(), filters: [].as_slice().into() };
        refused(&Packet::Subscribe(subscribe), version, Rule::FiltersMissing);
        let unsubscribe =
            Unsubscribe { packet_id: id(), properties: Default::default(), filters: [].as_slice().into() };
        refused(&Packet::Unsubscribe(unsubscribe), version, Rule::FiltersMissing);
        let suback = SubAck { packet_id: id(), properties: Default::default(), reasons: ReasonCodes::default() };
        refused(&Packet::SubAck(suback), version, Rule::ReasonCodesMissing);
        let reasons = [ReasonCode::ServerBusy];
        let suback = SubAck { reasons: reasons.as_slice().into(), ..suback };
        refused(&Packet::SubAck(suback), version, Rule::ReasonCodeNotAllowed);
    }
    let unsuback = UnsubAck { packet_id: id(), properties: Default::default(), reasons: ReasonCodes::default() };
    refused(&Packet::UnsubAck(unsuback), Version::V5, Rule::ReasonCodesMissing);
    let options = SubscribeOptions { no_local: true, ..Default::default() };
    let filters = [SubscribeFilter { filter: "$share/g/t", options }];
    let subscribe = Subscribe { packet_id: id(), properties: Default::default(), filters: filters.as_slice().into() };
    refused(&Packet::Subscribe(subscribe), Version::V5, Rule::NoLocalShared);
    let properties = SubscribeProperties {
        subscription_identifier: NonZeroU32::new(REMAINING_LENGTH_MAX as u32 + 1),
        ..Default::default()
    };
    let filters = [SubscribeFilter { filter: "t", options: SubscribeOptions::default() }];
    let subscribe = Subscribe { packet_id: id(), properties, filters: filters.as_slice().into() };
    refused(&Packet::Subscribe(subscribe), Version::V5, Rule::PropertyValue);
}

#[test]
fn more_user_properties_than_are_read() {
    let pairs = vec![("name", "value"); USER_PROPERTIES_MAX + 1];
    let properties = AckProperties { user_properties: pairs.as_slice().into(), ..Default::default() };
    let ack = Packet::PubAck(Ack { properties, ..Ack::success(id()) });
    refused(&ack, Version::V5, Rule::UserPropertiesTooMany);
    // 3.1.1 has none to write.
    assert_eq!(written(&ack, Version::V311), [0x40, 2, 0, 1]);
}

/// Section 1.5.5. The payloads are never touched, so they take no memory.
#[test]
fn a_packet_that_is_too_long() {
    let largest = vec![0; REMAINING_LENGTH_MAX - 3];
    let packet = Packet::Publish(Publish { payload: &largest, ..publish() });
    assert_eq!(packet.encode(Version::V311, &mut &mut [0; 8][..]), Err(EncodeError::NoRoom));
    let larger = vec![0; REMAINING_LENGTH_MAX - 2];
    refused(&Packet::Publish(Publish { payload: &larger, ..publish() }), Version::V311, EncodeError::PacketTooLong);
}

/// Into a buffer of a fixed size: all or nothing.
#[test]
fn a_buffer_without_room() {
    for (version, direction) in WAYS {
        check(50, &any_packet(version, direction), |packet| {
            let bytes = written(&packet, version);
            let mut exact = vec![0; bytes.len()];
            packet.encode(version, &mut &mut exact[..]).unwrap();
            assert_eq!(exact, bytes);
            let mut short = vec![0; bytes.len() - 1];
            assert_eq!(packet.encode(version, &mut &mut short[..]), Err(EncodeError::NoRoom));
            assert!(short.iter().all(|&byte| byte == 0));
            Ok(())
        });
    }
}

/// Section 1.5.5: lengths around those where one more byte is needed, of packets and of property blocks.
#[test]
fn lengths_of_every_size_are_written() {
    for remaining in [127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
        let payload = vec![b'x'; remaining - 3];
        let packet = Packet::Publish(Publish { payload: &payload, ..publish() });
        let expected = wire::packet(0x30, &[b"\0\x01t", &*payload].concat());
        let mut exact = vec![0; expected.len()];
        packet.encode(Version::V311, &mut &mut exact[..]).unwrap();
        assert!(exact == expected, "{remaining}");
    }
    for block_bytes in [127, 128, 16_383, 16_384] {
        let reason_string = "x".repeat(block_bytes - 3);
        let properties = AckProperties { reason_string: Some(&reason_string), ..Default::default() };
        let property = [&[0x1F][..], &field(&reason_string)].concat();
        let expected = wire::packet(0x40, &[&[0, 1, 0][..], &block(&property)].concat());
        let mut exact = vec![0; expected.len()];
        Packet::PubAck(Ack { properties, ..Ack::success(id()) }).encode(Version::V5, &mut &mut exact[..]).unwrap();
        assert!(exact == expected, "{block_bytes}");
    }
}

/// 3.1.1 has no properties and no reasons but those of CONNACK and SUBACK: they are left out, and the packet is good.
#[test]
fn what_3_1_1_has_no_words_for_is_left_out() {
    let pairs = [("name", "value")];
    let properties = AckProperties { reason_string: Some("why"), user_properties: pairs.as_slice().into() };
    let ack = Ack { packet_id: id(), reason: ReasonCode::NotAuthorized, properties };
    assert_eq!(written(&Packet::PubAck(ack), Version::V311), [0x40, 2, 0, 1]);
    let disconnect = Disconnect::with_reason(ReasonCode::DisconnectWithWill);
    assert_eq!(written(&Packet::Disconnect(disconnect), Version::V311), [0xE0, 0]);
    let reasons = [ReasonCode::GrantedQoS1, ReasonCode::QuotaExceeded];
    let suback = SubAck { packet_id: id(), properties: Default::default(), reasons: reasons.as_slice().into() };
    assert_eq!(written(&Packet::SubAck(suback), Version::V311), [0x90, 4, 0, 1, 1, 0x80]);
    let unsuback = UnsubAck { packet_id: id(), properties: Default::default(), reasons: reasons.as_slice().into() };
    assert_eq!(written(&Packet::UnsubAck(unsuback), Version::V311), [0xB0, 2, 0, 1]);
    let connack = ConnAck { session_present: false, reason: ReasonCode::QuotaExceeded, ..Default::default() };
    assert_eq!(written(&Packet::ConnAck(connack), Version::V311), [0x20, 2, 0, 3]);
    let properties = PublishProperties { message_expiry_interval: Some(9), ..Default::default() };
    let bytes = written(&Packet::Publish(Publish { properties, ..publish() }), Version::V311);
    let read = talaria_codec::decode(&bytes, Version::V311, Direction::ToClient);
    assert_eq!(read, Ok(Packet::Publish(publish())));
}

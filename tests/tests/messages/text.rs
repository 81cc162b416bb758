//! Texts in any script, up to 100,000 characters (R7).

use serde_json::{Value, json};
use talaria_codec::{Packet, QoS, ReasonCode, Version};
use talaria_tests::wire::VERSIONS;

use crate::{Pair, TO_LEE, place, place_of};

const CHARACTERS_MAX: usize = 100_000;
/// Four bytes in UTF-8, twelve escaped.
const CHARACTER: &str = "🎉";
const ESCAPED: &str = "\\ud83c\\udf89";

fn plain(characters: usize) -> Vec<u8> {
    CHARACTER.repeat(characters).into_bytes()
}

fn escaped(characters: usize) -> Vec<u8> {
    format!("{{\"text\":\"{}\"}}", ESCAPED.repeat(characters)).into_bytes()
}

#[test]
fn korean_and_emoji_arrive_as_they_were_sent_plain_and_in_json() {
    for version in VERSIONS {
        let pair = Pair::new();
        let (mut kim, mut lee) = (pair.kim(version, "laptop"), pair.lee(version));
        let texts = ["안녕하세요, 이 선생님", "🎉", "👩‍👩‍👧 가족 🇰🇷", "ᄒ\u{1161}\u{11ab}글"];
        for text in texts {
            kim.say(TO_LEE, text);
            kim.say(TO_LEE, &json!({"text": text}).to_string());
        }
        let sent: Vec<&str> = texts.into_iter().flat_map(|text| [text, text]).collect();
        assert_eq!(lee.take_texts(sent.len()), sent);
        assert_eq!(pair.stored_texts(), sent);
    }
}

#[test]
fn exactly_100000_four_byte_characters_are_accepted_delivered_and_kept_plain_and_escaped() {
    for version in VERSIONS {
        let pair = Pair::new();
        let (mut kim, mut lee) = (pair.kim(version, "laptop"), pair.lee(version));
        let whole = CHARACTER.repeat(CHARACTERS_MAX);
        for payload in [plain(CHARACTERS_MAX), escaped(CHARACTERS_MAX)] {
            let answer = kim.publish(TO_LEE, &payload);
            assert_eq!(answer.ack_reason(), ReasonCode::Success);
            let event = lee.take().json();
            // Not assert_eq: a difference of 400 KB is nothing to read.
            assert!(event["text"] == *whole, "{} bytes arrived", event["text"].to_string().len());
            if version == Version::V5 {
                assert_eq!(place_of(&event), place(&answer));
            }
        }
        let stored = pair.stored();
        assert_eq!(stored.len(), 2);
        assert!(stored.iter().all(|event| event["text"] == *whole));
    }
}

#[test]
fn one_character_more_is_refused_in_5_0_by_puback_0x97_with_a_reason_and_the_connection_stays() {
    let pair = Pair::new();
    let (mut kim, mut lee) = (pair.kim(Version::V5, "laptop"), pair.lee(Version::V5));
    for payload in [plain(CHARACTERS_MAX + 1), escaped(CHARACTERS_MAX + 1)] {
        let answer = kim.publish(TO_LEE, &payload);
        let Packet::PubAck(ack) = answer.packet() else { panic!("{:?}", answer.packet()) };
        assert_eq!(ack.reason, ReasonCode::QuotaExceeded);
        let reason = ack.properties.reason_string.unwrap_or_default();
        assert!(reason.contains("100,000 characters"), "{reason}");
    }
    kim.say(TO_LEE, "shorter");
    assert_eq!(lee.take_texts(1), ["shorter"]);
    assert_eq!(pair.stored_texts(), ["shorter"]);
}

#[test]
fn one_character_more_is_refused_in_3_1_1_by_a_rejection_on_events_and_the_connection_stays() {
    let pair = Pair::new();
    let (mut kim, mut lee) = (pair.kim(Version::V311, "laptop"), pair.lee(Version::V311));
    kim.subscribe("user/me/events", QoS::AtLeastOnce);
    for payload in [plain(CHARACTERS_MAX + 1), escaped(CHARACTERS_MAX + 1)] {
        // Acknowledged, so that the client does not send it for ever.
        assert_eq!(kim.publish(TO_LEE, &payload).ack_reason(), ReasonCode::Success);
        let rejection = kim.take();
        assert_eq!(rejection.topic, "user/me/events");
        let rejection = rejection.json();
        assert_eq!(rejection["type"], "rejected");
        assert_eq!((&rejection["topic"], &rejection["packet_id"]), (&TO_LEE.into(), &1.into()));
        assert_eq!(rejection["code"], "text_too_long");
        assert!(rejection["reason"].as_str().unwrap().contains("100,000 characters"), "{rejection}");
    }
    kim.say(TO_LEE, "shorter");
    assert_eq!(lee.take_texts(1), ["shorter"]);
    assert_eq!(pair.stored_texts(), ["shorter"]);
}

#[test]
fn a_payload_that_is_no_json_object_is_the_text_and_unknown_fields_are_kept_out() {
    let pair = Pair::new();
    let (mut kim, mut lee) = (pair.kim(Version::V311, "laptop"), pair.lee(Version::V311));
    for text in ["[1,2]", "\"quoted\"", "12", "{not json", " spaced "] {
        kim.say(TO_LEE, text);
        assert_eq!(lee.take_texts(1), [text]);
    }
    let sent = json!({"text": "x", "colour": "red", "id": "1", "seq": 9, "from": "1", "data": {"any": [1, null]}});
    kim.say(TO_LEE, &sent.to_string());
    let event = lee.take().json();
    assert_eq!((&event["text"], &event["data"]), (&sent["text"], &sent["data"]));
    assert_eq!((&event["colour"], &event["seq"], &event["from"]), (&Value::Null, &6.into(), &json!(pair.kim.id)));
}

#[test]
fn a_wrong_type_is_refused_with_a_reason_that_names_the_field() {
    let pair = Pair::new();
    let mut kim = pair.kim(Version::V5, "laptop");
    let wrong = [
        (r#"{"text":5}"#, "text"),
        (r#"{"text":"x","key":1}"#, "key"),
        (r#"{"text":"x","key":""}"#, "key"),
        (r#"{"text":"x","mentions":"@lee"}"#, "mentions"),
        (r#"{"text":"x","media":[true]}"#, "media"),
        (r#"{"text":"x","reply_to":7}"#, "reply_to"),
    ];
    for (payload, field) in wrong {
        let answer = kim.publish(TO_LEE, payload.as_bytes());
        let Packet::PubAck(ack) = answer.packet() else { panic!("{:?}", answer.packet()) };
        assert_eq!(ack.reason, ReasonCode::PayloadFormatInvalid, "{payload}");
        let reason = ack.properties.reason_string.unwrap_or_default();
        assert!(reason.contains(&format!("`{field}`")), "{payload}: {reason}");
    }
    for payload in [&b""[..], b"\xff\xfe", b"{\"text\":\"\xed\xa0\xbd\"}"] {
        assert_eq!(kim.publish(TO_LEE, payload).ack_reason(), ReasonCode::PayloadFormatInvalid, "{payload:02x?}");
    }
    assert!(pair.server.get(&pair.lee, "/v1/conversations").is(200)["conversations"].as_array().unwrap().is_empty());
}

#[test]
fn who_asks_for_no_problem_information_gets_neither_reasons_nor_properties() {
    // MQTT-3.1.2-29.
    let pair = Pair::new();
    let mut connect = talaria_tests::wire::connect_of(Version::V5, &pair.kim, "laptop");
    connect.properties.request_problem_information = Some(false);
    let (mut kim, _) = talaria_tests::wire::Wire::log_in(pair.server.mqtt(), &connect);
    for (payload, reason) in [(&b"x"[..], ReasonCode::Success), (b"{\"text\":5}", ReasonCode::PayloadFormatInvalid)] {
        let answer = kim.publish(TO_LEE, payload);
        let Packet::PubAck(ack) = answer.packet() else { panic!("{:?}", answer.packet()) };
        assert_eq!((ack.reason, ack.properties.reason_string), (reason, None));
        assert!(ack.properties.user_properties.is_empty());
    }
}

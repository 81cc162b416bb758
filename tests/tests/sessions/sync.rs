//! Many devices of one account, each in sync, each with its own place (R4).

use talaria_codec::{QoS, Version};
use talaria_tests::wire::{VERSIONS, Wire, keeping};

use crate::{Stage, TO_LEE};

#[test]
fn what_a_session_sends_reaches_every_session_of_both_users_itself_included() {
    for version in VERSIONS {
        let stage = Stage::new();
        let mut sender = Wire::listening(stage.server.mqtt(), version, &stage.kim, "phone");
        let mut others = [
            Wire::listening(stage.server.mqtt(), Version::V5, &stage.kim, "tablet"),
            Wire::listening(stage.server.mqtt(), Version::V311, &stage.kim, "watch"),
            stage.new_lee(version),
        ];
        sender.say(TO_LEE, "hello");
        let own = sender.take();
        for other in &mut others {
            assert_eq!(other.take().payload, own.payload);
        }
    }
}

#[test]
fn notes_to_self_reach_every_session_once() {
    let stage = Stage::new();
    let mut phone = Wire::listening(stage.server.mqtt(), Version::V5, &stage.kim, "phone");
    let mut tablet = Wire::listening(stage.server.mqtt(), Version::V5, &stage.kim, "tablet");
    phone.say("user/me/message", "milk");
    phone.say("user/@kim/message", "bread");
    for wire in [&mut phone, &mut tablet] {
        let events = [wire.take().json(), wire.take().json()];
        assert_eq!(events.each_ref().map(|event| event["text"].as_str().unwrap()), ["milk", "bread"]);
        assert_eq!(events[0]["conv"], format!("dm/{0}-{0}", stage.kim.id));
    }
}

#[test]
fn each_session_has_its_own_place() {
    let mut stage = Stage::new();
    let come = |stage: &Stage, client_id: &str| {
        let (mut wire, is_present) = Wire::log_in(stage.server.mqtt(), &keeping(Version::V5, &stage.lee, client_id));
        if !is_present {
            wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
        }
        wire
    };
    let (mut phone, tablet) = (come(&stage, "phone"), come(&stage, "tablet"));
    tablet.leave();
    let first = stage.say("first", 3);
    assert_eq!(phone.take_texts(3), first);
    phone.leave();
    let second = stage.say("second", 3);
    let mut tablet = come(&stage, "tablet");
    assert_eq!(tablet.take_texts(6), [first, second.clone()].concat());
    let mut phone = come(&stage, "phone");
    assert_eq!(phone.take_texts(3), second);
    let third = stage.say("third", 1);
    for wire in [&mut phone, &mut tablet] {
        assert_eq!(wire.take_texts(1), third);
    }
}

#[test]
fn a_new_session_starts_now_and_what_is_older_is_history() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        stage.say("older", 3);
        // Now is the settled watermark, which a restart brings up to what is stored.
        let mut stage = stage.restart();
        let mut lee = stage.new_lee(version);
        let said = stage.say("newer", 1);
        assert_eq!(lee.take_texts(1), said);
    }
}

#[test]
fn typing_and_read_marks_are_told_live_on_events() {
    let mut stage = Stage::new();
    let mut lee = stage.new_lee(Version::V5);
    let mut tablet = Wire::listening(stage.server.mqtt(), Version::V5, &stage.lee, "tablet");
    for wire in [&mut lee, &mut tablet] {
        wire.subscribe("user/me/events", QoS::AtLeastOnce);
    }
    stage.kims.say("user/@lee/typing", "");
    for wire in [&mut lee, &mut tablet] {
        let hint = wire.take();
        assert_eq!(hint.topic, "user/me/events");
        let hint = hint.json();
        assert_eq!((&hint["type"], &hint["from"]), (&"typing".into(), &stage.kim.id.as_str().into()));
    }
    stage.say("read me", 2);
    assert_eq!((lee.take_texts(2).len(), tablet.take_texts(2).len()), (2, 2));
    // Cut to the head.
    lee.say("user/@kim/read", r#"{"seq":99}"#);
    let hint = tablet.take().json();
    assert_eq!((&hint["type"], &hint["seq"]), (&"read".into(), &2.into()));
}

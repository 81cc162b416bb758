//! Who is a member sees what is said while they are (INV-5).

use serde_json::{Value, json};
use talaria_codec::{QoS, ReasonCode, Version};
use talaria_tests::wire::{VERSIONS, Wire, connect_of, keeping};
use talaria_tests::{Person, Server};

/// Ann's channel with Bob in it, and Kim, who is not.
struct Stage {
    server: Server,
    ann: Person,
    kim: Person,
    anns: Wire,
    channel: String,
    topic: String,
}

impl Stage {
    fn new(version: Version) -> Self {
        let server = Server::fresh();
        let [ann, bob, kim] = server.people(["@ann", "@bob", "@kim"]);
        let (anns, _) = Wire::log_in(server.mqtt(), &connect_of(version, &ann, "phone"));
        let channel = server.channel(&ann, &[&bob]);
        let topic = format!("channel/{channel}/message");
        Self { server, ann, kim, anns, channel, topic }
    }

    fn say(&mut self, text: &str) {
        self.anns.say(&self.topic, text);
    }

    fn add_kim(&self) {
        self.server.put(&self.ann, &format!("/v1/channels/{}/members/@kim", self.channel)).is(204);
    }

    fn remove_kim(&self, by: &Person, spelling: &str) {
        self.server.delete(by, &format!("/v1/channels/{}/members/{spelling}", self.channel)).is(204);
    }

    fn kept(&self, version: Version) -> Wire {
        let (mut wire, is_present) = Wire::log_in(self.server.mqtt(), &keeping(version, &self.kim, "phone"));
        if !is_present {
            wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
        }
        wire
    }

    /// A 1:1 message to Kim; what comes to Kim up to it is all there is.
    fn all_up_to_now(&mut self, kim: &mut Wire) -> Vec<Value> {
        self.anns.say("user/@kim/message", "up to here");
        let mut events = Vec::new();
        loop {
            let event = kim.take().json();
            if event["text"] == "up to here" {
                return events;
            }
            events.push(event);
        }
    }
}

/// Type and text.
fn said(events: &[Value]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event["type"].as_str().unwrap(), event["text"].as_str().unwrap_or_default())).collect()
}

#[test]
fn a_member_that_is_added_sees_what_follows_and_nothing_from_before() {
    for version in VERSIONS {
        let mut stage = Stage::new(version);
        let mut kim = stage.kept(version);
        stage.say("before");
        stage.add_kim();
        stage.say("after");
        let events = stage.all_up_to_now(&mut kim);
        assert_eq!(said(&events), [("member_joined", ""), ("message", "after")]);
        assert_eq!(events[0]["user"], stage.kim.id);
        kim.say(&stage.topic, "hello");
        let path = format!("/v1/conversations/channel/{}/events?after_seq=0", stage.channel);
        let history = stage.server.get(&stage.kim, &path).is(200);
        let history = history["events"].as_array().unwrap();
        assert_eq!(said(history), [("member_joined", ""), ("message", "after"), ("message", "hello")]);
    }
}

#[test]
fn a_member_that_is_removed_gets_nothing_more_and_cannot_publish() {
    for version in VERSIONS {
        let mut stage = Stage::new(version);
        let mut kim = stage.kept(version);
        kim.subscribe("user/me/events", QoS::AtLeastOnce);
        stage.add_kim();
        stage.say("while a member");
        kim.say(&stage.topic, "me too");
        stage.remove_kim(&stage.ann.clone(), "@kim");
        stage.say("after");
        let answer = kim.publish(&stage.topic, b"let me in");
        let refused = if version == Version::V5 { ReasonCode::NotAuthorized } else { ReasonCode::Success };
        assert_eq!(answer.ack_reason(), refused);
        let events = stage.all_up_to_now(&mut kim);
        let texts: Vec<_> = said(&events).into_iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
        assert_eq!(texts, ["while a member", "me too"]);
        assert!(events.iter().any(|event| event["type"] == "channel_left"), "{events:?}");
        let is_rejected = events.iter().any(|event| event["type"] == "rejected" && event["code"] == "not_a_member");
        assert_eq!(is_rejected, version == Version::V311);
        let path = format!("/v1/conversations/channel/{}/events", stage.channel);
        assert_eq!(stage.server.get(&stage.kim, &path).is(403)["code"], "not_a_member");
        assert_eq!(stage.server.post(&stage.kim, &path, &json!({"text": "x"})).is(403)["code"], "not_a_member");
    }
}

#[test]
fn a_session_that_was_away_when_its_user_was_removed_gets_nothing_of_the_channel() {
    // INV-5 outranks INV-4: not even what was said while it was a member.
    for version in VERSIONS {
        let mut stage = Stage::new(version);
        stage.add_kim();
        stage.kept(version).leave();
        stage.say("while a member and away");
        stage.remove_kim(&stage.ann.clone(), "@kim");
        stage.say("after");
        let mut kim = stage.kept(version);
        assert_eq!(stage.all_up_to_now(&mut kim), Vec::<Value>::new());
    }
}

#[test]
fn after_a_rejoin_only_what_follows_it_is_delivered() {
    let version = Version::V5;
    let mut stage = Stage::new(version);
    stage.add_kim();
    stage.kept(version).leave();
    stage.say("the first time");
    stage.remove_kim(&stage.ann.clone(), "@kim");
    stage.say("between");
    stage.add_kim();
    stage.say("the second time");
    let mut kim = stage.kept(version);
    let events = stage.all_up_to_now(&mut kim);
    assert_eq!(said(&events), [("member_joined", ""), ("message", "the second time")]);
}

#[test]
fn a_member_may_leave_and_is_told_so() {
    for version in VERSIONS {
        let mut stage = Stage::new(version);
        stage.add_kim();
        let mut kim = stage.kept(version);
        kim.subscribe("user/me/events", QoS::AtLeastOnce);
        stage.remove_kim(&stage.kim.clone(), "me");
        stage.say("after");
        let events = stage.all_up_to_now(&mut kim);
        assert!(events.iter().all(|event| event["type"] != "message"), "{events:?}");
        assert!(events.iter().any(|event| event["type"] == "channel_left"), "{events:?}");
        let members = stage.server.get(&stage.ann, &format!("/v1/channels/{}/members", stage.channel)).is(200);
        let handles: Vec<_> = members["members"].as_array().unwrap().iter().map(|member| &member["handle"]).collect();
        assert_eq!(handles, ["@ann", "@bob"]);
    }
}

#[test]
fn the_owner_sees_who_joined_and_who_left_in_order() {
    let mut stage = Stage::new(Version::V311);
    stage.anns.subscribe("user/me/inbox", QoS::AtLeastOnce);
    stage.add_kim();
    stage.say("welcome");
    stage.remove_kim(&stage.kim.clone(), "me");
    stage.say("goodbye");
    // What was told a moment before the subscription may come along.
    let mut events: Vec<Value> = Vec::new();
    while events.last().is_none_or(|event| event["text"] != "goodbye") {
        events.push(stage.anns.take().json());
    }
    let events = events.split_off(events.len().saturating_sub(4));
    let expected = [("member_joined", ""), ("message", "welcome"), ("member_left", ""), ("message", "goodbye")];
    assert_eq!(said(&events), expected);
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
}

#[test]
fn a_channel_is_there_after_a_restart_with_its_members() {
    for version in VERSIONS {
        let mut stage = Stage::new(version);
        stage.add_kim();
        stage.kept(version).leave();
        stage.server = stage.server.restart();
        stage.anns = Wire::log_in(stage.server.mqtt(), &connect_of(version, &stage.ann, "phone")).0;
        stage.say("still here");
        let mut kim = stage.kept(version);
        let events = stage.all_up_to_now(&mut kim);
        assert_eq!(said(&events), [("message", "still here")]);
        kim.say(&stage.topic, "me too");
    }
}

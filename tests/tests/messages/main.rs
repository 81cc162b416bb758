//! Messages: what may be said, what is stored once, what history gives back.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, also in functions that tests share")]

mod history;
mod http;
mod never_twice;
mod text;

use serde_json::Value;
use talaria_codec::{Packet, Version};
use talaria_tests::wire::{Received, Wire, connect_of};
use talaria_tests::{Person, Server};

/// Kim and Lee, and the conversation of the two.
struct Pair {
    server: Server,
    kim: Person,
    lee: Person,
}

const TO_LEE: &str = "user/@lee/message";

impl Pair {
    fn new() -> Self {
        let server = Server::fresh();
        let [kim, lee] = server.people(["@kim", "@lee"]);
        Self { server, kim, lee }
    }

    /// A clean session of Kim's.
    fn kim(&self, version: Version, client_id: &str) -> Wire {
        Wire::log_in(self.server.mqtt(), &connect_of(version, &self.kim, client_id)).0
    }

    /// A clean session of Lee's that listens.
    fn lee(&self, version: Version) -> Wire {
        Wire::listening(self.server.mqtt(), version, &self.lee, "phone")
    }

    /// The path of the conversation's resource; the lower id comes first.
    fn path(&self) -> String {
        let mut ids = [&self.kim, &self.lee].map(|person| person.id.parse::<u64>().unwrap());
        ids.sort_unstable();
        format!("/v1/conversations/dm/{}-{}/events", ids[0], ids[1])
    }

    /// All that is stored of it, as Lee sees it; fewer than a page.
    fn stored(&self) -> Vec<Value> {
        let page = self.server.get(&self.lee, &format!("{}?after_seq=0&limit=200", self.path())).is(200);
        assert_eq!(page["next"], Value::Null);
        page["events"].as_array().unwrap().clone()
    }

    /// The texts of all that is stored.
    fn stored_texts(&self) -> Vec<String> {
        self.stored().iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// Id and seq in the user properties of a PUBACK or PUBREC of 5.0.
fn place(answer: &Received) -> (String, u64) {
    let (Packet::PubAck(ack) | Packet::PubRec(ack)) = answer.packet() else { panic!("{:?}", answer.packet()) };
    let of = |name| ack.properties.user_properties.get(name).unwrap_or_else(|| panic!("no {name}: {ack:?}"));
    (of("id").to_owned(), of("seq").parse().unwrap())
}

/// Id and seq of a delivered or stored event.
fn place_of(event: &Value) -> (String, u64) {
    (event["id"].as_str().unwrap().to_owned(), event["seq"].as_u64().unwrap())
}

//! What a client may not do gets its clear answer, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, also in functions that tests share")]

mod channel;
mod filter;
mod login;
mod packet;
mod takeover;
mod topic;

use talaria_codec::{Connect, Packet, ReasonCode, Version};
use talaria_tests::wire::{Received, Wire, connect_of};
use talaria_tests::{Person, Server};

/// A server, someone who does wrong, and two who chat and are to notice nothing of it.
struct Stage {
    server: Server,
    kim: Person,
    ann: Person,
    bob: Person,
    anns: Wire,
    bobs: Wire,
    rounds: usize,
}

impl Stage {
    fn new() -> Self {
        let server = Server::fresh();
        let [kim, ann, bob] = server.people(["@kim", "@ann", "@bob"]);
        let anns = Wire::listening(server.mqtt(), Version::V5, &ann, "phone");
        let bobs = Wire::listening(server.mqtt(), Version::V311, &bob, "phone");
        Self { server, kim, ann, bob, anns, bobs, rounds: 0 }
    }

    /// The two go on over the connections they had, and got nothing that they did not say.
    #[track_caller]
    fn others_go_on(&mut self) {
        self.rounds += 1;
        let (ann, bob) = (format!("ann {}", self.rounds), format!("bob {}", self.rounds));
        self.anns.say("user/@bob/message", &ann);
        self.bobs.say("user/@ann/message", &bob);
        for wire in [&mut self.anns, &mut self.bobs] {
            assert_eq!(wire.take_texts(2), [&*ann, &*bob]);
        }
    }

    /// A clean session of Kim's.
    #[track_caller]
    fn kim(&self, version: Version) -> Wire {
        Wire::log_in(self.server.mqtt(), &connect_of(version, &self.kim, "laptop")).0
    }

    /// That this CONNECT is answered with this and no more, and the connection closed.
    #[track_caller]
    fn is_refused(&mut self, connect: &Connect<'_>, reason: ReasonCode) {
        let (mut wire, answer) = Wire::connect(self.server.mqtt(), connect);
        assert_eq!(connack(&answer), (false, reason), "{:?}", connect.version);
        wire.expect_end();
        self.others_go_on();
    }
}

/// Session present and reason of a CONNACK.
#[track_caller]
fn connack(answer: &Received) -> (bool, ReasonCode) {
    match answer.packet() {
        Packet::ConnAck(ack) => (ack.session_present, ack.reason),
        other => panic!("no CONNACK: {other:?}"),
    }
}

/// That the server ends the connection: in 5.0 with that reason, in 3.1.1, which knows none, at once.
#[track_caller]
fn is_ended(wire: &mut Wire, version: Version, reason: ReasonCode) {
    if version == Version::V5 {
        match wire.answer().packet() {
            Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, reason),
            other => panic!("no DISCONNECT: {other:?}"),
        }
    }
    wire.expect_end();
}

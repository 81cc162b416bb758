//! Sessions: what is kept while a client is away, across restarts too, and what it gets at which pace.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, also in functions that tests share")]

mod expiry;
mod flow;
mod restart;
mod slow;
mod sync;
mod will;

use talaria_codec::{Packet, QoS, ReasonCode, Version};
use talaria_tests::wire::{Wire, connect_of, keeping};
use talaria_tests::{Person, Server};

const TO_LEE: &str = "user/@lee/message";

/// Kim writes, Lee comes and goes.
struct Stage {
    server: Server,
    kim: Person,
    lee: Person,
    kims: Wire,
}

impl Stage {
    fn new() -> Self {
        let server = Server::fresh();
        let [kim, lee] = server.people(["@kim", "@lee"]);
        Self::on(server, kim, lee)
    }

    fn on(server: Server, kim: Person, lee: Person) -> Self {
        let kims = Wire::log_in(server.mqtt(), &connect_of(Version::V311, &kim, "laptop")).0;
        Self { server, kim, lee, kims }
    }

    /// Drains the server and starts it on the same folder; Kim is back too.
    fn restart(self) -> Self {
        let Self { server, kim, lee, kims } = self;
        drop(kims);
        Self::on(server.restart(), kim, lee)
    }

    /// Lee's kept session, and whether it was there.
    fn lee(&self, version: Version) -> (Wire, bool) {
        Wire::log_in(self.server.mqtt(), &keeping(version, &self.lee, "phone"))
    }

    /// The same, new, and with its inbox.
    fn new_lee(&self, version: Version) -> Wire {
        let (mut wire, is_present) = self.lee(version);
        assert!(!is_present);
        wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
        wire
    }

    /// The same, back.
    fn returned_lee(&self, version: Version) -> Wire {
        let (wire, is_present) = self.lee(version);
        assert!(is_present, "the session is gone");
        wire
    }

    /// Kim says that many things to Lee.
    fn say(&mut self, what: &str, count: usize) -> Vec<String> {
        let texts: Vec<String> = (0..count).map(|number| format!("{what} {number}")).collect();
        for text in &texts {
            self.kims.say(TO_LEE, text);
        }
        texts
    }

    /// Waits until so many seconds went by on the server's clock: a client that stays silent is closed then.
    fn let_pass(&self, seconds: u16) {
        let mut connect = connect_of(Version::V5, &self.kim, "silent");
        // Closed after one and a half times of it.
        connect.keep_alive = seconds;
        let (mut silent, _) = Wire::log_in(self.server.mqtt(), &connect);
        let last = silent.answer();
        assert!(matches!(last.packet(), Packet::Disconnect(end) if end.reason == ReasonCode::KeepAliveTimeout));
    }
}

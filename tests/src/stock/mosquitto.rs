//! `mosquitto_sub` and `mosquitto_pub`.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use talaria_codec::Version;

use super::{Client, Login};
use crate::log::Log;
use crate::program::Program;

/// Before each delivery in what it prints, to tell it from its log.
const MARK: &str = "event ";

pub(super) struct Mosquitto {
    subscriber: Program,
    printed: Log,
    /// Lines already looked at.
    read: usize,
    /// For each publish, without message and topic.
    publisher: Vec<String>,
}

impl Mosquitto {
    pub(super) fn come(login: &Login<'_>) -> Self {
        // By itself it would write to a pipe only when a buffer is full.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub"]).args(arguments(login, login.client_id)).args([
            "-c",
            "-q",
            "1",
            "-t",
            "user/me/inbox",
        ]);
        // Its log tells when the subscription is acknowledged.
        command.args(["-d", "-F", &format!("{MARK}%p")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut subscriber = Program::start(&mut command);
        let printed = Log::of(subscriber.stdout());
        printed.wait_for("Subscribed (mid: 1): 1");
        let publisher = arguments(login, &format!("{}-pub", login.client_id));
        Self { subscriber, printed, read: 0, publisher }
    }
}

fn arguments(login: &Login<'_>, client_id: &str) -> Vec<String> {
    let version = if login.version == Version::V5 { "mqttv5" } else { "mqttv311" };
    let (host, port) = (login.server.ip().to_string(), login.server.port().to_string());
    let named = [
        ("-V", version),
        ("-h", &host),
        ("-p", &port),
        ("-i", client_id),
        ("-u", &login.person.handle),
        ("-P", &login.person.token),
    ];
    named.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect()
}

impl Client for Mosquitto {
    fn publish(&mut self, topic: &str, payload: &str) {
        let mut command = Command::new("mosquitto_pub");
        command.args(&self.publisher).args(["-q", "1", "-t", topic, "-m", payload]);
        let output = command.stdin(Stdio::null()).output().expect("start mosquitto_pub");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn event(&mut self) -> Value {
        let found = self.printed.find_from(self.read, |line| line.strip_prefix(MARK).map(str::to_owned));
        let (at, payload) = found.unwrap_or_else(|| panic!("mosquitto_sub ended:\n{}", self.printed));
        self.read = at + 1;
        serde_json::from_str(&payload).unwrap()
    }

    fn leave(mut self: Box<Self>) {
        // What Ctrl-C sends; it disconnects before it ends.
        self.subscriber.signal(Signal::INT);
        self.printed.wait_for_end();
        self.subscriber.wait();
    }
}

//! paho-mqtt, driven over the pipes of `tests/clients/paho_client.py`: a JSON object a line, commands in, events out.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use talaria_codec::Version;

use super::{Client, Login};
use crate::log::Log;
use crate::program::Program;
use crate::variable;

const PYTHON_VARIABLE: &str = "TALARIA_TEST_PYTHON";

/// A client in a process of its own.
#[derive(Debug)]
pub struct Paho {
    _driver: Program,
    commands: ChildStdin,
    printed: Log,
    /// Lines already looked at, for each kind of event.
    read: HashMap<String, usize>,
}

impl Paho {
    /// A kept session that has subscribed.
    pub fn come(login: &Login<'_>) -> Self {
        let mut paho = Self::connect(login, &json!({}));
        let connected = paho.wait_for("connect");
        assert_eq!(connected["failed"], false, "{connected}");
        paho.command(&json!({"do": "subscribe", "topic": "user/me/inbox", "qos": 1}));
        assert_eq!(paho.wait_for("subscribe")["reasons"], json!([1]));
        paho
    }

    /// Connects a kept session; `with` changes how. Its `connect` event tells the answer.
    pub fn connect(login: &Login<'_>, with: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/paho_client.py");
        let mut command = Command::new(variable(PYTHON_VARIABLE));
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut driver = Program::start(&mut command);
        let commands = driver.stdin();
        let printed = Log::of(driver.stdout());
        let mut paho = Self { _driver: driver, commands, printed, read: HashMap::new() };
        let mut connect = json!({
            "do": "connect",
            "host": login.server.ip().to_string(),
            "port": login.server.port(),
            "client_id": login.client_id,
            "user": login.person.handle,
            "token": login.person.token,
            "version": if login.version == Version::V5 { 5 } else { 4 },
            "clean": false,
            "expiry_s": 3600,
        });
        let with = with.as_object().unwrap();
        connect.as_object_mut().unwrap().extend(with.iter().map(|(name, value)| (name.clone(), value.clone())));
        paho.command(&connect);
        paho
    }

    /// Sends a command.
    pub fn command(&mut self, command: &Value) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// Publishes and waits for nothing.
    pub fn start_publish(&mut self, topic: &str, payload: &str, qos: u8) {
        self.command(&json!({"do": "publish", "topic": topic, "payload": payload, "qos": qos}));
    }

    /// Waits for the next event of that kind; others are kept.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let from = self.read.get(kind).copied().unwrap_or_default();
        let found = self.printed.find_from(from, |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event["on"] == kind).then_some(event)
        });
        let (at, event) = found.unwrap_or_else(|| panic!("paho ended:\n{}", self.printed));
        self.read.insert(kind.to_owned(), at + 1);
        event
    }
}

impl Client for Paho {
    fn publish(&mut self, topic: &str, payload: &str) {
        self.start_publish(topic, payload, 1);
        let answer = self.wait_for("publish");
        assert_eq!(answer["failed"], false, "{answer}");
    }

    fn event(&mut self) -> Value {
        let message = self.wait_for("message");
        serde_json::from_str(message["payload"].as_str().unwrap()).unwrap()
    }

    fn leave(mut self: Box<Self>) {
        self.command(&json!({"do": "disconnect"}));
        self.wait_for("disconnect");
    }
}

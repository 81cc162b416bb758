//! MQTT clients that nobody here wrote, behind one trait: a session that is kept, has its inbox at QoS 1, and publishes at QoS 1.

mod mosquitto;
pub mod paho;
pub mod rumqttc;

use std::net::SocketAddr;

use serde_json::Value;
use talaria_codec::Version;

use crate::home::Person;

/// Which client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stock {
    /// `mosquitto_sub`, and `mosquitto_pub` for each publish.
    Mosquitto,
    /// Python.
    Paho,
    /// Rust.
    Rumqttc,
}

/// Who connects, to where, and as which session.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Where.
    pub server: SocketAddr,
    /// Who.
    pub person: &'a Person,
    /// The session's name.
    pub client_id: &'a str,
    /// What is spoken.
    pub version: Version,
}

/// A connected client.
pub trait Client {
    /// Publishes at QoS 1 and waits for the PUBACK.
    fn publish(&mut self, topic: &str, payload: &str);

    /// Waits for the next event on the inbox.
    fn event(&mut self) -> Value;

    /// DISCONNECT; the session is kept.
    fn leave(self: Box<Self>);
}

impl Stock {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Mosquitto, Self::Paho, Self::Rumqttc];

    /// Connects and subscribes; returns when the subscription is acknowledged.
    pub fn come(self, login: &Login<'_>) -> Box<dyn Client> {
        match (self, login.version) {
            (Self::Mosquitto, _) => Box::new(mosquitto::Mosquitto::come(login)),
            (Self::Paho, _) => Box::new(paho::Paho::come(login)),
            (Self::Rumqttc, Version::V311) => Box::new(rumqttc::v4::Rumqttc::come(login)),
            (Self::Rumqttc, Version::V5) => Box::new(rumqttc::v5::Rumqttc::come(login)),
        }
    }

    /// A handle to play under.
    pub const fn handle(self) -> &'static str {
        match self {
            Self::Mosquitto => "@mosquitto",
            Self::Paho => "@paho",
            Self::Rumqttc => "@rumqttc",
        }
    }
}

/// The `text` of the next messages; other events are passed over.
pub fn texts(client: &mut dyn Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let event = client.event();
        if event["type"] == "message" {
            texts.push(event["text"].as_str().unwrap().to_owned());
        }
    }
    texts
}

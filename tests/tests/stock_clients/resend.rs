//! A publish is cut off and sent again (PROTOCOL "Never twice").

use serde_json::json;
use talaria_codec::Version;
use talaria_tests::proxy::{Cut, Proxy};
use talaria_tests::stock::paho::Paho;
use talaria_tests::stock::{Client, Login, rumqttc};
use talaria_tests::wire::{VERSIONS, Wire};
use talaria_tests::{Person, Server};

const TOPIC: &str = "user/@lee/message";

/// Kim sends through a proxy that cuts, Lee listens.
struct Stage {
    _server: Server,
    proxy: Proxy,
    kim: Person,
    lee: Wire,
}

impl Stage {
    fn new() -> Self {
        let server = Server::fresh();
        let [kim, lee] = server.people(["@kim", "@lee"]);
        let proxy = Proxy::to(server.mqtt());
        let lee = Wire::listening(server.mqtt(), Version::V5, &lee, "phone");
        Self { _server: server, proxy, kim, lee }
    }

    fn login(&self, version: Version) -> Login<'_> {
        Login { server: self.proxy.address(), person: &self.kim, client_id: "kim", version }
    }

    /// What the proxy saw of DUP and packet ids.
    fn seen(&self) -> Vec<(bool, u16)> {
        self.proxy.seen().iter().map(|seen| (seen.dup, seen.packet_id)).collect()
    }
}

fn paho(version: Version, cut: Cut, qos: u8) {
    let mut stage = Stage::new();
    let mut paho = Paho::connect(&stage.login(version), &json!({}));
    paho.wait_for("connect");
    stage.proxy.cut_next(cut);
    paho.start_publish(TOPIC, "once", qos);
    stage.proxy.wait_for_cut();
    // PUBACK, or PUBCOMP of QoS 2.
    paho.wait_for("publish");
    assert_eq!(stage.seen(), [(false, 1), (true, 1)], "{cut:?}");
    paho.publish(TOPIC, "next");
    assert_eq!(stage.lee.take_texts(2), ["once", "next"], "{cut:?}");
}

#[test]
fn paho_resends_with_dup_and_one_message_is_stored_on_3_1_1() {
    for cut in [Cut::Before, Cut::WithIt, Cut::AfterAnswer] {
        paho(Version::V311, cut, 1);
    }
}

#[test]
fn paho_resends_with_dup_and_one_message_is_stored_on_5_0() {
    for cut in [Cut::Before, Cut::WithIt, Cut::AfterAnswer] {
        paho(Version::V5, cut, 1);
    }
}

#[test]
fn paho_resends_at_qos_2_and_one_message_is_stored() {
    for version in VERSIONS {
        for cut in [Cut::Before, Cut::WithIt, Cut::AfterAnswer] {
            paho(version, cut, 2);
        }
    }
}

macro_rules! rumqttc {
    ($module:ident, $version:expr, $cut:expr) => {{
        let mut stage = Stage::new();
        let mut client = rumqttc::$module::Rumqttc::connect(&stage.login($version));
        stage.proxy.cut_next($cut);
        client.start_publish(TOPIC, "once");
        stage.proxy.wait_for_cut();
        client.wait_for_acknowledged();
        assert_eq!(stage.seen(), [(false, 1), (false, 1)]);
        client.publish(TOPIC, "next");
        stage.lee.take_texts(if $cut == Cut::AfterAnswer { 3 } else { 2 })
    }};
}

/// The server never wrote the PUBACK, and knows it.
#[test]
fn rumqttc_resends_without_dup_and_one_message_is_stored_on_3_1_1() {
    for cut in [Cut::Before, Cut::WithIt] {
        assert_eq!(rumqttc!(v4, Version::V311, cut), ["once", "next"], "{cut:?}");
    }
}

#[test]
fn rumqttc_resends_without_dup_and_one_message_is_stored_on_5_0() {
    for cut in [Cut::Before, Cut::WithIt] {
        assert_eq!(rumqttc!(v5, Version::V5, cut), ["once", "next"], "{cut:?}");
    }
}

/// Without DUP, and with a PUBACK that was written, nothing tells it from a new message, and a message too many is better than one too few.
#[test]
fn a_resend_without_dup_of_what_was_acknowledged_is_a_new_message() {
    assert_eq!(rumqttc!(v4, Version::V311, Cut::AfterAnswer), ["once", "once", "next"]);
}

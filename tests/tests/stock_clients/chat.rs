//! Everybody is there.

use talaria_codec::Version;
use talaria_tests::stock::{Stock, texts};

use crate::Stage;

/// Each writes to each; both sides see it, the sender because all sessions of one account are in sync.
fn one_to_one(version: Version) {
    let stage = Stage::new(version);
    let mut clients = stage.all();
    for from in 0..clients.len() {
        for to in (0..clients.len()).filter(|to| *to != from) {
            let (sender, receiver) = (clients[from].0, clients[to].0);
            let text = format!("{sender:?} to {receiver:?}");
            let topic = format!("user/{}/message", receiver.handle());
            clients[from].1.publish(&topic, &text);
            let (sent, received) = (clients[from].1.event(), clients[to].1.event());
            assert_eq!((&received["text"], &received["type"]), (&text.into(), &"message".into()));
            assert_eq!(received["from"], *stage.person(sender).id);
            assert_eq!(sent, received);
        }
    }
}

/// Each writes in turn, twice; all see the same events in the same order.
fn channel(version: Version) {
    let stage = Stage::new(version);
    let mut clients = stage.all();
    let topic = format!("channel/{}/message", stage.channel());
    let mut said = Vec::new();
    for round in 0..2 {
        for (stock, client) in &mut clients {
            said.push(format!("{stock:?} {round}"));
            client.publish(&topic, said.last().unwrap());
        }
    }
    for (stock, client) in &mut clients {
        assert_eq!(texts(&mut **client, said.len()), said, "{stock:?}");
    }
}

#[test]
fn three_stock_clients_hold_a_1_to_1_chat_on_3_1_1() {
    one_to_one(Version::V311);
}

#[test]
fn three_stock_clients_hold_a_1_to_1_chat_on_5_0() {
    one_to_one(Version::V5);
}

#[test]
fn three_stock_clients_hold_a_channel_chat_on_3_1_1() {
    channel(Version::V311);
}

#[test]
fn three_stock_clients_hold_a_channel_chat_on_5_0() {
    channel(Version::V5);
}

/// Every client in both versions: three at a time, so that each meets each in the other one.
#[test]
fn clients_of_3_1_1_and_of_5_0_chat_with_each_other() {
    let (old, new) = (Version::V311, Version::V5);
    for versions in [[old, new, old], [new, old, new]] {
        let stage = Stage::new(old);
        let come = |(stock, version)| (stock, stage.come_in(stock, version));
        let mut clients: Vec<_> = Stock::ALL.into_iter().zip(versions).map(come).collect();
        let topic = format!("channel/{}/message", stage.channel());
        let mut said = Vec::new();
        for (stock, client) in &mut clients {
            said.push(format!("{stock:?}"));
            client.publish(&topic, said.last().unwrap());
        }
        for (stock, client) in &mut clients {
            assert_eq!(texts(&mut **client, said.len()), said, "{stock:?}");
        }
    }
}

#[test]
fn mosquitto_pub_of_the_same_word_twice_is_two_messages() {
    let stage = Stage::new(Version::V311);
    let mut paho = stage.come(Stock::Paho);
    let mut mosquitto = stage.come(Stock::Mosquitto);
    let topic = format!("user/{}/message", Stock::Paho.handle());
    mosquitto.publish(&topic, "ok");
    mosquitto.publish(&topic, "ok");
    mosquitto.publish(&topic, "no more");
    assert_eq!(texts(&mut *paho, 3), ["ok", "ok", "no more"]);
}

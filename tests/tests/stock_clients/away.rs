//! Somebody is away, and comes back.

use serde_json::Value;
use talaria_codec::Version;
use talaria_tests::stock::{Client, Stock, texts};

use crate::Stage;

/// Enough that a session which comes back has some of it in flight at once.
const MESSAGES: usize = 40;

/// One is away, the others write to it and in a channel, in turn. On return each conversation comes whole and in its order.
fn away(version: Version, away: Stock) {
    let stage = Stage::new(version);
    let channel = stage.channel();
    // Subscribed once, so that there is something to come back to.
    stage.come(away).leave();
    let others = Stock::ALL.into_iter().filter(|stock| *stock != away);
    let mut writers: Vec<_> = others.map(|stock| (stock, stage.come(stock))).collect();
    let topics = [format!("user/{}/message", away.handle()), format!("channel/{channel}/message")];
    let mut said = [Vec::new(), Vec::new()];
    for number in 0..MESSAGES {
        let (stock, writer) = &mut writers[number % 2];
        // mosquitto_pub is a process each time; the others are not slower for it.
        let which = number / 2 % 2;
        let text = format!("{stock:?} {number}");
        writer.publish(&topics[which], &text);
        said[which].push(text);
    }
    let mut returned = stage.come(away);
    let events = messages(&mut *returned, MESSAGES);
    let of = |in_channel: bool| {
        let is_wanted = |event: &&Value| event["conv"].as_str().unwrap().starts_with("channel/") == in_channel;
        events.iter().filter(is_wanted).map(|event| event["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(true), said[1], "{away:?}");
    // Two 1:1 conversations, each in its order.
    for (stock, _) in &writers {
        let whose = |text: &&String| text.starts_with(&format!("{stock:?} "));
        assert!(of(false).iter().filter(whose).eq(said[0].iter().filter(whose)), "{away:?}");
    }
    assert_eq!(of(false).len(), said[0].len());
    // Nothing comes again, and what is said now follows.
    writers[0].1.publish(&topics[0], "welcome back");
    assert_eq!(texts(&mut *returned, 1), ["welcome back"]);
}

fn messages(client: &mut dyn Client, count: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let event = client.event();
        if event["type"] == "message" {
            messages.push(event);
        }
    }
    messages
}

/// Nobody ever wrote to this user, and no conversation of theirs exists, when the session leaves.
fn first_message_ever(version: Version) {
    for stock in Stock::ALL {
        let stage = Stage::new(version);
        stage.come(stock).leave();
        let writer = Stock::ALL.into_iter().find(|other| *other != stock).unwrap();
        let mut writer = stage.come(writer);
        writer.publish(&format!("user/{}/message", stock.handle()), "the very first");
        let mut returned = stage.come(stock);
        let event = returned.event();
        assert_eq!((&event["text"], &event["seq"]), (&"the very first".into(), &1.into()), "{stock:?}");
    }
}

#[test]
fn mosquitto_sub_gets_all_it_missed_in_order_on_3_1_1() {
    away(Version::V311, Stock::Mosquitto);
}

#[test]
fn mosquitto_sub_gets_all_it_missed_in_order_on_5_0() {
    away(Version::V5, Stock::Mosquitto);
}

#[test]
fn paho_gets_all_it_missed_in_order_on_3_1_1() {
    away(Version::V311, Stock::Paho);
}

#[test]
fn paho_gets_all_it_missed_in_order_on_5_0() {
    away(Version::V5, Stock::Paho);
}

#[test]
fn rumqttc_gets_all_it_missed_in_order_on_3_1_1() {
    away(Version::V311, Stock::Rumqttc);
}

#[test]
fn rumqttc_gets_all_it_missed_in_order_on_5_0() {
    away(Version::V5, Stock::Rumqttc);
}

#[test]
fn a_session_gets_the_first_message_ever_that_came_while_it_was_away_on_3_1_1() {
    first_message_ever(Version::V311);
}

#[test]
fn a_session_gets_the_first_message_ever_that_came_while_it_was_away_on_5_0() {
    first_message_ever(Version::V5);
}

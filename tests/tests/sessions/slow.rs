//! A slow consumer costs only itself (INV-7), and still gets everything (INV-4).

use talaria_codec::{QoS, Version};
use talaria_tests::wire::{VERSIONS, Wire};

use crate::Stage;

/// Together far above what a connection's buffer and the kernel's hold.
const MESSAGES: usize = 120;
const TEXT_BYTES: usize = 99_000;

#[test]
fn a_consumer_that_does_not_read_falls_behind_and_gets_everything_later_in_order() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut slow = stage.new_lee(version);
        let mut quick = Wire::listening(stage.server.mqtt(), Version::V5, &stage.lee, "tablet");
        let filling = "x".repeat(TEXT_BYTES);
        for number in 0..MESSAGES {
            let text = format!("{number} {filling}");
            stage.kims.say(crate::TO_LEE, &text);
            // The other session of the same user is served at once, however far the slow one is behind.
            assert!(quick.take_texts(1) == [text]);
        }
        for number in 0..MESSAGES {
            let texts = slow.take_texts(1);
            assert!(texts[0].starts_with(&format!("{number} ")), "{number}: {:.20}", texts[0]);
        }
        let said = stage.say("caught up", 1);
        assert_eq!(slow.take_texts(1), said);
    }
}

#[test]
fn a_consumer_that_reads_and_acknowledges_nothing_gets_everything_once_it_does() {
    // More than may be in flight (3.1.1 knows no Receive Maximum; the server has its own).
    let mut stage = Stage::new();
    let mut lee = stage.new_lee(Version::V311);
    let said = stage.say("number", 1500);
    let mut deliveries = Vec::new();
    lee.ping();
    while lee.waiting() > 0 {
        deliveries.push(lee.delivery());
    }
    assert!(deliveries.len() < said.len(), "there is a bound on what is in flight");
    deliveries.iter().for_each(|delivery| lee.acknowledge(delivery));
    let mut texts: Vec<String> =
        deliveries.iter().map(|delivery| delivery.json()["text"].as_str().unwrap().to_owned()).collect();
    texts.extend(lee.take_texts(said.len() - deliveries.len()));
    assert_eq!(texts, said);
}

#[test]
fn a_clean_session_that_is_slow_gets_everything_too_while_it_is_connected() {
    let mut stage = Stage::new();
    let (mut slow, _) =
        Wire::log_in(stage.server.mqtt(), &talaria_tests::wire::connect_of(Version::V311, &stage.lee, "phone"));
    slow.subscribe("user/me/inbox", QoS::AtLeastOnce);
    let filling = "x".repeat(TEXT_BYTES);
    for number in 0..MESSAGES {
        stage.kims.say(crate::TO_LEE, &format!("{number} {filling}"));
    }
    for number in 0..MESSAGES {
        assert!(slow.take_texts(1)[0].starts_with(&format!("{number} ")), "{number}");
    }
}

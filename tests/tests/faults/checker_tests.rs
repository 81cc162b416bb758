//! The checker finds what it is there to find: each promise is broken once in a history that is otherwise in order.

use std::collections::BTreeMap;

use crate::checker::{Violation, check};
use crate::history::{Event, History, Outcome, Receiver, Sender, Sent};

const DM: &str = "dm/1-2";
const CHANNEL: &str = "channel/9";

/// Kim (1) sent six messages, to Lee (2) and to a channel in turn; the last was never acknowledged and is not stored. Lee's phone saw
/// them on two connections, the second of which began with a repeat.
fn sound() -> History {
    let sent: Vec<Sent> = (0..6)
        .map(|number| Sent {
            conversation: conversation_of(number).to_owned(),
            text: format!("kim {number}"),
            key: (number == 3).then(|| "key-3".to_owned()),
            outcome: match number {
                5 => Outcome::Open,
                _ if number % 2 == 0 => Outcome::Acknowledged(None),
                _ => Outcome::Acknowledged(Some((100 + number, number / 2 + 2))),
            },
        })
        .collect();
    let made = Event { key: None, text: None, kind: "channel_created".to_owned(), ..event(0, CHANNEL, 1, 90) };
    let dm = vec![event(0, DM, 1, 100), event(2, DM, 2, 102), event(4, DM, 3, 104)];
    let channel = vec![made, event(1, CHANNEL, 2, 101), event(3, CHANNEL, 3, 103)];
    let receiver = Receiver {
        name: "@lee phone".to_owned(),
        is_kept: true,
        owed_after: BTreeMap::from([(DM.to_owned(), 0), (CHANNEL.to_owned(), 1)]),
        connections: vec![
            vec![dm[0].clone(), channel[1].clone(), dm[1].clone()],
            vec![dm[1].clone(), dm[2].clone(), channel[2].clone()],
        ],
    };
    History {
        senders: vec![Sender { name: "@kim phone".to_owned(), user: "1".to_owned(), sent }],
        stored: BTreeMap::from([(DM.to_owned(), dm), (CHANNEL.to_owned(), channel)]),
        receivers: vec![receiver],
    }
}

fn conversation_of(number: u64) -> &'static str {
    if number.is_multiple_of(2) { DM } else { CHANNEL }
}

fn event(number: u64, conversation: &str, seq: u64, id: u64) -> Event {
    Event {
        conversation: conversation.to_owned(),
        seq,
        id,
        from: "1".to_owned(),
        kind: "message".to_owned(),
        key: (number == 3).then(|| "key-3".to_owned()),
        text: Some(format!("kim {number}")),
    }
}

/// What is found in the sound history after this was done to it.
fn found(doctor: impl FnOnce(&mut History)) -> Vec<Violation> {
    let mut history = sound();
    doctor(&mut history);
    check(&history)
}

fn dm(history: &mut History) -> &mut Vec<Event> {
    history.stored.get_mut(DM).unwrap()
}

#[test]
fn a_sound_history_has_no_violation() {
    assert_eq!(found(|_| {}), []);
}

#[test]
fn what_was_not_acknowledged_may_be_stored_all_the_same() {
    let found = found(|history| {
        let open = event(5, CHANNEL, 4, 105);
        history.stored.get_mut(CHANNEL).unwrap().push(open.clone());
        history.receivers[0].connections[1].push(open);
    });
    assert_eq!(found, []);
}

#[test]
fn a_dropped_message_is_lost() {
    let found = found(|history| {
        dm(history).pop();
        history.receivers[0].connections[1].remove(1);
    });
    assert_eq!(found, [Violation::Lost { sender: "@kim phone".to_owned(), text: "kim 4".to_owned() }]);
}

#[test]
fn a_message_dropped_from_the_middle_leaves_a_hole() {
    let found = found(|history| {
        dm(history).remove(1);
    });
    assert!(found.contains(&Violation::Hole { conversation: DM.to_owned(), seq: 2 }), "{found:?}");
    assert!(
        found.contains(&Violation::Lost { sender: "@kim phone".to_owned(), text: "kim 2".to_owned() }),
        "{found:?}"
    );
}

#[test]
fn a_doubled_message_is_found() {
    let found = found(|history| {
        let again = event(2, DM, 4, 110);
        dm(history).push(again.clone());
        history.receivers[0].connections[1].push(again);
    });
    let twice = Violation::StoredTwice { conversation: DM.to_owned(), text: "kim 2".to_owned(), seqs: (2, 4) };
    assert_eq!(found, [twice]);
}

#[test]
fn two_swapped_messages_are_found() {
    let found = found(|history| {
        let (first, second) = (event(2, DM, 3, 104), event(4, DM, 2, 102));
        *dm(history) = vec![event(0, DM, 1, 100), second.clone(), first.clone()];
        history.receivers[0].connections = vec![vec![event(0, DM, 1, 100), second, first], Vec::new()];
        history.receivers[0].owed_after.remove(CHANNEL);
    });
    let (sender, text, earlier) = ("@kim phone".to_owned(), "kim 4".to_owned(), "kim 2".to_owned());
    assert_eq!(found, [Violation::Overtaken { sender, text, earlier }]);
}

#[test]
fn a_stranger_is_found() {
    let stranger = |doctor: fn(&mut Event)| {
        found(|history| {
            let mut event = event(5, DM, 4, 110);
            doctor(&mut event);
            dm(history).push(event.clone());
            history.receivers[0].connections[1].push(event);
        })
    };
    let expected = [Violation::Stranger { conversation: DM.to_owned(), seq: 4 }];
    assert_eq!(stranger(|event| event.text = Some("nobody sent this".to_owned())), expected);
    assert_eq!(stranger(|event| event.from = "2".to_owned()), expected);
    assert_eq!(stranger(|event| event.key = Some("another".to_owned())), expected);
    // Sent, but to the channel.
    assert_eq!(stranger(|_| {}), expected);
}

#[test]
fn an_id_that_repeats_or_goes_back_is_found() {
    for id in [102, 50] {
        let found = found(|history| {
            dm(history)[2].id = id;
            history.receivers[0].connections[1][1].id = id;
        });
        assert_eq!(found, [Violation::IdNotAbove { conversation: DM.to_owned(), seq: 3 }]);
    }
}

#[test]
fn an_acknowledgement_of_another_place_is_found() {
    let found = found(|history| history.senders[0].sent[1].outcome = Outcome::Acknowledged(Some((101, 3))));
    assert_eq!(found, [Violation::OtherPlace { sender: "@kim phone".to_owned(), text: "kim 1".to_owned() }]);
}

#[test]
fn a_refusal_is_found() {
    let found = found(|history| history.senders[0].sent[5].outcome = Outcome::Refused("QuotaExceeded".to_owned()));
    assert!(matches!(found[..], [Violation::Refused { .. }]), "{found:?}");
}

#[test]
fn a_session_that_was_not_shown_an_event_is_found() {
    // At the end of its conversation.
    let cut = found(|history| {
        history.receivers[0].connections[1].remove(1);
    });
    assert_eq!(cut, [missed(3)]);
    // In the middle of a connection.
    let skipped = found(|history| {
        let connections = &mut history.receivers[0].connections;
        let rest = connections.pop().unwrap();
        connections[0].extend(rest.into_iter().skip(1));
        connections[0].remove(2);
    });
    assert_eq!(skipped, [out_of_order(3, 1)]);
    // Between two connections.
    let jumped = found(|history| {
        history.receivers[0].connections[0].remove(2);
        history.receivers[0].connections[1].remove(0);
    });
    assert_eq!(jumped, [out_of_order(3, 1)]);
    // All of it.
    assert_eq!(found(|history| history.receivers[0].connections.clear()).len(), 2);
}

#[test]
fn events_shown_in_another_order_or_twice_on_a_connection_are_found() {
    let swapped = found(|history| history.receivers[0].connections[1].swap(0, 1));
    assert_eq!(swapped, [out_of_order(2, 3)]);
    let twice = found(|history| {
        let event = history.receivers[0].connections[1][1].clone();
        history.receivers[0].connections[1].push(event);
    });
    assert_eq!(twice, [out_of_order(3, 3)]);
}

#[test]
fn an_event_that_was_shown_and_is_not_in_history_is_found() {
    let vanished = |seq| Violation::Vanished { receiver: "@lee phone".to_owned(), conversation: DM.to_owned(), seq };
    let gone = found(|history| history.receivers[0].connections[1].push(event(5, DM, 4, 110)));
    assert_eq!(gone, [vanished(4)]);
    let other = found(|history| history.receivers[0].connections[1][1].text = Some("kim 2".to_owned()));
    assert_eq!(other, [vanished(3)]);
}

#[test]
fn a_session_that_is_not_kept_is_owed_order_and_no_more() {
    let not_kept = |doctor: fn(&mut Vec<Vec<Event>>)| {
        found(|history| {
            history.receivers[0].is_kept = false;
            doctor(&mut history.receivers[0].connections);
        })
    };
    assert_eq!(not_kept(|connections| drop(connections.remove(0))), []);
    assert_eq!(not_kept(|connections| connections[1].swap(0, 1)).len(), 1);
}

fn missed(seq: u64) -> Violation {
    Violation::Missed { receiver: "@lee phone".to_owned(), conversation: DM.to_owned(), seq }
}

fn out_of_order(seq: u64, before: u64) -> Violation {
    Violation::OutOfOrder { receiver: "@lee phone".to_owned(), conversation: DM.to_owned(), seq, before }
}

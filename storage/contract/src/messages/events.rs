//! Rules of rounds and of reading events.

use std::sync::Arc;

use bytes::Bytes;
use talaria_core::{ConversationId, Event, EventId, EventKind, Origin, Seq};
use talaria_port::messages::{Amount, Append, MessageStore as _, Round, Span};

use super::{ALL, Fresh, append, channel, commit, commit_one, dm, event, events, id, read, user, wait};

fn three<F: Fresh>(fresh: &F) -> (ConversationId, Arc<Round>) {
    let round = Arc::new(append(events(dm(1, 2), 1..=3)));
    commit(fresh.store(), &round);
    (dm(1, 2), round)
}

/// A conversation of 40 events that came in rounds of 1, 2, 3 … events.
fn forty<F: Fresh>(fresh: &F) -> ConversationId {
    let mut next = 1;
    for size in 1.. {
        let last = (next + size - 1).min(40);
        commit_one(fresh.store(), append(events(dm(1, 2), next..=last)));
        next = last + 1;
        if last == 40 {
            break;
        }
    }
    dm(1, 2)
}

/// A round committed again changes nothing, and all of it is there after reopening.
pub fn a_round_committed_again_changes_nothing<F: Fresh>(mut fresh: F) {
    let (dm, round) = three(&fresh);
    commit(fresh.store(), &round);
    fresh.reopen();
    commit(fresh.store(), &round);
    assert_eq!(read(fresh.store(), dm, Span::After(Seq::ZERO), ALL), [1, 2, 3]);
    commit_one(fresh.store(), append(events(dm, 4..=5)));
    commit(fresh.store(), &round);
    assert_eq!(read(fresh.store(), dm, Span::After(Seq::ZERO), ALL), [1, 2, 3, 4, 5]);
}

/// A round without anything in it is done.
pub fn a_round_without_anything_is_done<F: Fresh>(fresh: F) {
    commit_one(fresh.store(), Round::default());
}

/// Spans ascend and are limited by count and bytes, to at least one event.
pub fn spans_ascend_and_are_limited<F: Fresh>(fresh: F) {
    let (dm, _) = three(&fresh);
    let read = |span, events, bytes| read(fresh.store(), dm, span, Amount { events, bytes });
    assert_eq!(read(Span::After(Seq(1)), 9, usize::MAX), [2, 3]);
    assert_eq!(read(Span::Before(Seq(3)), 9, usize::MAX), [1, 2]);
    assert_eq!(read(Span::After(Seq(1)), 1, usize::MAX), [2]);
    assert_eq!(read(Span::Before(Seq(3)), 1, usize::MAX), [2]);
    assert_eq!(read(Span::After(Seq(0)), 9, 1), [1]);
}

/// However the events came, each span starts and ends where it is asked to.
pub fn every_span_of_many_rounds_is_found<F: Fresh>(mut fresh: F) {
    let dm = forty(&fresh);
    for _ in 0..2 {
        for seq in 0..=42 {
            let after: Vec<u64> = (seq + 1..=40).collect();
            let before: Vec<u64> = (1..seq.min(41)).collect();
            assert_eq!(read(fresh.store(), dm, Span::After(Seq(seq)), ALL), after, "after {seq}");
            assert_eq!(read(fresh.store(), dm, Span::Before(Seq(seq)), ALL), before, "before {seq}");
            let nearest = before.iter().rev().take(3).rev().copied().collect::<Vec<_>>();
            let three = Amount { events: 3, bytes: usize::MAX };
            assert_eq!(read(fresh.store(), dm, Span::Before(Seq(seq)), three), nearest, "three before {seq}");
        }
        fresh.reopen();
    }
}

/// Reading on from the end of each page meets every event once, in both directions, whatever a page holds.
pub fn pages_follow_each_other<F: Fresh>(fresh: F) {
    let dm = forty(&fresh);
    for events in 1..8 {
        let amount = Amount { events, bytes: usize::MAX };
        let (mut forth, mut back) = (Vec::new(), Vec::new());
        loop {
            let page = read(fresh.store(), dm, Span::After(Seq(forth.last().copied().unwrap_or(0))), amount);
            if page.is_empty() {
                break;
            }
            forth.extend(page);
        }
        loop {
            let page = read(fresh.store(), dm, Span::Before(Seq(back.last().copied().unwrap_or(41))), amount);
            if page.is_empty() {
                break;
            }
            back.extend(page.iter().rev());
        }
        assert_eq!(forth, (1..=40).collect::<Vec<_>>(), "forth by {events}");
        assert_eq!(back, (1..=40).rev().collect::<Vec<_>>(), "back by {events}");
    }
}

/// A page ends once bodies exceed its bytes, and never before the first event.
pub fn a_page_holds_at_least_one_event<F: Fresh>(fresh: F) {
    let dm = dm(1, 2);
    let large = |seq| event(dm, seq, Bytes::from(vec![b'1'; 1000]));
    commit_one(fresh.store(), append(vec![large(1), large(2), large(3)]));
    commit_one(fresh.store(), append(vec![large(4)]));
    let read = |span, bytes| read(fresh.store(), dm, span, Amount { events: 9, bytes });
    assert_eq!(read(Span::After(Seq(0)), 0), [1]);
    assert_eq!(read(Span::Before(Seq(5)), 0), [4]);
    assert_eq!(read(Span::After(Seq(0)), 1000), [1, 2]);
    assert_eq!(read(Span::After(Seq(1)), 2500), [2, 3, 4]);
    assert_eq!(read(Span::Before(Seq(4)), 1500), [2, 3]);
}

/// A span outside of what is stored is empty, and so is a conversation nobody wrote to.
pub fn nothing_lies_outside_of_a_conversation<F: Fresh>(fresh: F) {
    let (dm, _) = three(&fresh);
    for span in [Span::After(Seq(3)), Span::After(Seq(u64::MAX)), Span::Before(Seq(0)), Span::Before(Seq(1))] {
        assert!(read(fresh.store(), dm, span, ALL).is_empty(), "{span:?}");
    }
    assert_eq!(read(fresh.store(), dm, Span::Before(Seq(u64::MAX)), ALL), [1, 2, 3]);
    for span in [Span::After(Seq(0)), Span::Before(Seq(u64::MAX))] {
        assert!(read(fresh.store(), channel(9), span, ALL).is_empty(), "{span:?}");
    }
}

/// Conversations whose keys are neighbours keep to themselves, also in one round.
pub fn conversations_do_not_mix<F: Fresh>(mut fresh: F) {
    let all = [dm(1, 2), dm(1, 3), dm(2, 2), dm(2, 3), channel(1), channel(2), ConversationId::Own(user(1))];
    for round in 0..3 {
        let appends = all.iter().zip(1..).map(|(of, size)| {
            let first = round * size + 1;
            Append { events: events(*of, first..=first + size - 1) }
        });
        commit_one(fresh.store(), Round { appends: appends.collect(), ..Round::default() });
    }
    fresh.reopen();
    for (of, size) in all.into_iter().zip(1..) {
        let expected: Vec<u64> = (1..=3 * size).collect();
        assert_eq!(read(fresh.store(), of, Span::After(Seq(0)), ALL), expected, "{of}");
        assert_eq!(read(fresh.store(), of, Span::Before(Seq(u64::MAX)), ALL), expected, "{of}");
        assert_eq!(wait(fresh.store().seq_at(of, EventId::MAX)).unwrap(), Seq(3 * size), "{of}");
    }
}

/// However many and however large the events of one conversation in a round are.
pub fn many_events_in_one_round_are_one_sequence<F: Fresh>(mut fresh: F) {
    let dm = dm(1, 2);
    let sized = |seq: u64| event(dm, seq, Bytes::from(vec![b'1'; if seq.is_multiple_of(50) { 60_000 } else { 200 }]));
    commit_one(fresh.store(), append((1..=700).map(sized).collect()));
    fresh.reopen();
    assert_eq!(read(fresh.store(), dm, Span::After(Seq(0)), ALL), (1..=700).collect::<Vec<_>>());
    assert_eq!(read(fresh.store(), dm, Span::Before(Seq(651)), ALL), (1..=650).collect::<Vec<_>>());
    for seq in [1, 127, 128, 129, 500, 700] {
        assert_eq!(wait(fresh.store().seq_at(dm, id(seq))).unwrap(), Seq(seq));
    }
}

/// 100,000 four-byte characters come back with every field, also after reopening.
pub fn a_large_event_comes_back_with_all_fields<F: Fresh>(mut fresh: F) {
    let dm = dm(1, 2);
    let large = event(dm, 1, Bytes::from(format!("\"text\":\"{}\"", "🎉".repeat(100_000))));
    commit_one(fresh.store(), append(vec![Arc::clone(&large)]));
    fresh.reopen();
    assert!(wait(fresh.store().events(dm, Span::After(Seq::ZERO), ALL)).unwrap() == [(*large).clone()]);
}

/// Events of every kind, with and without what is optional, with the numbers at their bounds.
pub fn every_field_of_an_event_comes_back<F: Fresh>(mut fresh: F) {
    let of = channel(i64::MAX as u64);
    let origin = Origin { client: u64::MAX, packet_id: u16::MAX, payload: 1 << 63 };
    let key: Box<str> = "é".repeat(32).into();
    let mut stored = Vec::new();
    let mut messages = 0;
    for kind in EventKind::ALL {
        for (key, origin, epoch) in [(None, None, 1), (Some(key.clone()), None, 1), (None, Some(origin), u32::MAX)] {
            let seq = stored.len() as u64 + 1;
            messages += u64::from(kind.is_message());
            let (id, prev_id) = if seq == 18 { (EventId::MAX, id(17)) } else { (id(seq), id(seq - 1)) };
            let from = user(if seq.is_multiple_of(2) { i64::MAX as u64 } else { 1 });
            let body =
                if seq.is_multiple_of(3) { Bytes::new() } else { Bytes::from_static("\"text\":\"안녕\"".as_bytes()) };
            let seq = Seq(seq);
            let conversation = of;
            stored.push(Event { conversation, seq, id, prev_id, messages, epoch, from, kind, key, origin, body });
        }
    }
    for rounds in stored.chunks(4) {
        commit_one(fresh.store(), append(rounds.iter().cloned().map(Arc::new).collect()));
    }
    assert_eq!(wait(fresh.store().events(of, Span::After(Seq(0)), ALL)).unwrap(), stored);
    fresh.reopen();
    assert_eq!(wait(fresh.store().events(of, Span::After(Seq(0)), ALL)).unwrap(), stored);
}

/// For the id of each event, the one below and the one above it; 0 before the first and where nobody wrote.
pub fn seq_at_is_the_last_event_up_to_an_id<F: Fresh>(mut fresh: F) {
    let dm = forty(&fresh);
    for _ in 0..2 {
        let at = |id: EventId| wait(fresh.store().seq_at(dm, id)).unwrap().0;
        assert_eq!(at(EventId::ZERO), 0);
        for seq in 1..=40 {
            assert_eq!(at(EventId(id(seq).0 - 1)), seq - 1);
            assert_eq!(at(id(seq)), seq);
            assert_eq!(at(EventId(id(seq).0 + 1)), seq);
        }
        assert_eq!(at(EventId::MAX), 40);
        assert_eq!(wait(fresh.store().seq_at(channel(9), EventId::MAX)).unwrap(), Seq::ZERO);
        fresh.reopen();
    }
}

//! Rules of the message store. Start at [`Fresh`]; each public function is a rule.

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use talaria_core::{ConversationId, Event, EventId, EventKind, Seq, UserId};
use talaria_port::messages::{Amount, Append, MessageStore, Round, Span};

/// A store that can be closed and opened again on what is durable.
pub trait Fresh {
    /// The backend.
    type Store: MessageStore;
    /// The store as it is open now.
    fn store(&self) -> &Self::Store;
    /// Closes it and opens it again; memory takes its durable copy.
    fn reopen(&mut self);
}

const ALL: Amount = Amount { events: usize::MAX, bytes: usize::MAX };

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn event(conversation: ConversationId, seq: u64, body: Bytes) -> Arc<Event> {
    let id = |seq: u64| EventId(seq << 22);
    let (seq, id, prev_id) = (Seq(seq), id(seq), id(seq - 1));
    let (kind, key) = (EventKind::Message, Some("key".into()));
    Arc::new(Event {
        conversation,
        seq,
        id,
        prev_id,
        messages: seq.0,
        epoch: 1,
        from: user(1),
        kind,
        key,
        origin: None,
        body,
    })
}

fn append(events: Vec<Arc<Event>>) -> Round {
    Round { appends: vec![Append { events }], ..Round::default() }
}

fn commit(store: &impl MessageStore, round: &Arc<Round>) {
    let (tell, told) = mpsc::channel();
    store.commit(Arc::clone(round), Box::new(move |outcome| tell.send(outcome).unwrap()));
    told.recv().unwrap().unwrap();
}

fn read(store: &impl MessageStore, of: ConversationId, span: Span, amount: Amount) -> Vec<u64> {
    wait(store.events(of, span, amount)).unwrap().iter().map(|event| event.seq.0).collect()
}

fn three<F: Fresh>(fresh: &F) -> (ConversationId, Arc<Round>) {
    let dm = ConversationId::dm(user(1), user(2));
    let round = Arc::new(append((1..=3).map(|seq| event(dm, seq, Bytes::from_static(b"\"text\":\"a\""))).collect()));
    commit(fresh.store(), &round);
    (dm, round)
}

/// A round committed again changes nothing, and all of it is there after reopening.
pub fn a_round_committed_again_changes_nothing<F: Fresh>(mut fresh: F) {
    let (dm, round) = three(&fresh);
    commit(fresh.store(), &round);
    fresh.reopen();
    commit(fresh.store(), &round);
    assert_eq!(read(fresh.store(), dm, Span::After(Seq::ZERO), ALL), [1, 2, 3]);
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

/// 100,000 four-byte characters come back with every field, also after reopening.
pub fn a_large_event_comes_back_with_all_fields<F: Fresh>(mut fresh: F) {
    let dm = ConversationId::dm(user(1), user(2));
    let large = event(dm, 1, Bytes::from(format!("\"text\":\"{}\"", "🎉".repeat(100_000))));
    commit(fresh.store(), &Arc::new(append(vec![Arc::clone(&large)])));
    fresh.reopen();
    assert!(wait(fresh.store().events(dm, Span::After(Seq::ZERO), ALL)).unwrap() == [(*large).clone()]);
}

/// The watermark of fan-out never falls.
pub fn fanned_out_never_falls<F: Fresh>(mut fresh: F) {
    for id in [5, 9, 7] {
        commit(fresh.store(), &Arc::new(Round { fanned_out: Some(EventId(id)), ..Round::default() }));
    }
    fresh.reopen();
    assert_eq!(wait(fresh.store().fanned_out()).unwrap(), EventId(9));
}

/// One `#[test]` a rule; `make()` yields a fresh [`Fresh`].
#[macro_export]
macro_rules! message_store_suite {
    ($make:path) => {
        $crate::message_store_suite!($make: a_round_committed_again_changes_nothing, spans_ascend_and_are_limited,
            a_large_event_comes_back_with_all_fields, fanned_out_never_falls);
    };
    ($make:path: $($rule:ident),*) => { $(#[test] fn $rule() { $crate::messages::$rule($make()); })* };
}

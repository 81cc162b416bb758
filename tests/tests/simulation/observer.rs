//! Looks into the store from outside, past every fault: what is there right now.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use talaria_core::{ConversationId, Event, Seq};
use talaria_port::StoreError;
use talaria_port::messages::{Amount, MessageStore as _, Span};
use talaria_storage_memory::MemoryStore;

/// The answer of a call that never waits.
pub(crate) fn now<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    match Box::pin(call).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("a memory store made its caller wait"),
    }
}

/// The seq of the last event that is stored; 0 where there is none.
pub(crate) fn head(store: &MemoryStore, conversation: ConversationId) -> u64 {
    let last = Amount { events: 1, bytes: usize::MAX };
    now(store.events(conversation, Span::Before(Seq(u64::MAX)), last)).last().map_or(0, |event| event.seq.0)
}

/// The event with that seq.
pub(crate) fn event(store: &MemoryStore, conversation: ConversationId, seq: u64) -> Option<Event> {
    let one = Amount { events: 1, bytes: usize::MAX };
    let events = now(store.events(conversation, Span::After(Seq(seq.checked_sub(1)?)), one));
    events.into_iter().next().filter(|event| event.seq.0 == seq)
}

/// All events of a conversation.
pub(crate) fn events(store: &MemoryStore, conversation: ConversationId) -> Vec<Event> {
    now(store.events(conversation, Span::After(Seq::ZERO), Amount { events: usize::MAX, bytes: usize::MAX }))
}

//! Rules of the message store and of the sessions in it. Start at [`Fresh`]; each public function is a rule.

mod events;
mod growing;
mod index;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use talaria_core::{ChannelId, ConversationId, Event, EventId, EventKind, Seq, UserId};
use talaria_port::messages::{Amount, Append, MessageStore, Round, Span};
use talaria_port::sessions::SessionStore;

pub use events::*;
pub use growing::*;
pub use index::*;
pub use sessions::*;

/// A store that can be closed and opened again on what is durable.
pub trait Fresh {
    /// The backend.
    type Store: MessageStore + SessionStore;
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

fn dm(a: u64, b: u64) -> ConversationId {
    ConversationId::dm(user(a), user(b))
}

fn channel(id: u64) -> ConversationId {
    ConversationId::Channel(ChannelId::new(id).unwrap())
}

/// Ids leave room between them, so that ids of no event lie between those of two.
fn id(seq: u64) -> EventId {
    EventId(seq << 22)
}

fn event(conversation: ConversationId, seq: u64, body: Bytes) -> Arc<Event> {
    let (kind, key) = (EventKind::Message, Some("key".into()));
    let (seq, id, prev_id) = (Seq(seq), id(seq), id(seq - 1));
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

/// Events with consecutive seqs and small bodies.
fn events(conversation: ConversationId, seqs: std::ops::RangeInclusive<u64>) -> Vec<Arc<Event>> {
    seqs.map(|seq| event(conversation, seq, Bytes::from_static(b"\"text\":\"a\""))).collect()
}

fn append(events: Vec<Arc<Event>>) -> Round {
    Round { appends: vec![Append { events }], ..Round::default() }
}

fn commit(store: &impl MessageStore, round: &Arc<Round>) {
    let (tell, told) = mpsc::channel();
    store.commit(Arc::clone(round), Box::new(move |outcome| tell.send(outcome).unwrap()));
    told.recv().unwrap().unwrap();
}

fn commit_one(store: &impl MessageStore, round: Round) {
    commit(store, &Arc::new(round));
}

fn read(store: &impl MessageStore, of: ConversationId, span: Span, amount: Amount) -> Vec<u64> {
    wait(store.events(of, span, amount)).unwrap().iter().map(|event| event.seq.0).collect()
}

/// One `#[test]` a rule; `make()` yields a fresh [`Fresh`].
#[macro_export]
macro_rules! message_store_suite {
    ($make:path) => {
        $crate::message_store_suite!($make:
            a_round_committed_again_changes_nothing, a_round_without_anything_is_done, spans_ascend_and_are_limited,
            every_span_of_many_rounds_is_found, pages_follow_each_other, a_page_holds_at_least_one_event,
            nothing_lies_outside_of_a_conversation, conversations_do_not_mix, many_events_in_one_round_are_one_sequence,
            a_large_event_comes_back_with_all_fields, every_field_of_an_event_comes_back,
            seq_at_is_the_last_event_up_to_an_id, index_rows_ascend_and_are_paged, an_index_has_no_upper_end,
            an_index_is_one_users, an_index_row_is_there_once, moved_rows_ascend_and_are_paged,
            listed_conversations_are_paged, fanned_out_never_falls, the_newest_checkpoint_wins,
            every_field_of_a_checkpoint_comes_back, a_read_mark_never_falls, read_marks_do_not_mix,
            every_field_of_a_session_comes_back, a_mark_alone_is_no_session, the_later_mark_wins_in_any_order,
            the_later_row_wins, an_end_takes_only_its_generations, after_an_end_the_next_generation_begins_anew,
            sessions_of_two_users_do_not_mix, sessions_are_paged_in_the_order_of_their_keys);
    };
    ($make:path: $($rule:ident),*) => { $(#[test] fn $rule() { $crate::messages::$rule($make()); })* };
}

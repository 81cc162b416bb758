//! Reads for sessions that returned or fell behind.

use std::sync::Arc;

use talaria_core::limits::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX};
use talaria_port::StoreError;
use talaria_port::messages::Amount;

use crate::delivery::Ask;
use crate::event_loop::mailbox::News;
use crate::session::{Connection, Phase, Turn};

/// Starts the reads that delivery wants.
pub(crate) fn ask(connection: &mut Connection, turn: &mut Turn<'_>) {
    let (Phase::Live, Some(user)) = (connection.phase, connection.user) else { return };
    let moment = turn.moment();
    while let Some(ask) =
        connection.with_delivery(false, |delivery, outlet| delivery.next_ask(&moment, outlet)).flatten()
    {
        let catch_ups = Arc::clone(&turn.shared.deps.catch_ups);
        match ask {
            Ask::Moves { number, from, after } => {
                turn.ask(async move { News::Moves(number, logged(catch_ups.moves(user, from, after).await)) });
            }
            Ask::Page { number, conversation, position } => turn.ask(async move {
                let amount = Amount { events: PAGE_EVENTS_MAX, bytes: PAGE_BYTES_MAX };
                News::Page(number, logged(catch_ups.catch_up(user, conversation, position, amount).await))
            }),
        }
    }
}

/// The session only waits for the next try, and nobody would know what for.
fn logged<T>(answer: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = &answer {
        tracing::warn!(%error, "a session cannot be caught up; it is tried again");
    }
    answer
}

//! What delivery wants read.

use talaria_core::ConversationId;
use talaria_port::messages::Window;
use talaria_port::sessions::Position;

#[cfg(doc)]
use super::Delivery;

/// What to ask of [`CatchUps`](talaria_port::history::CatchUps); answered with the same number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// For [`Delivery::on_moves`].
    Moves {
        /// To be given back.
        number: u32,
        /// The first window.
        from: Window,
        /// The last row that is known.
        after: Option<(Window, ConversationId)>,
    },
    /// For [`Delivery::on_page`].
    Page {
        /// To be given back.
        number: u32,
        /// Of which conversation.
        conversation: ConversationId,
        /// What comes after it.
        position: Position,
    },
}

//! The end of a connection, from either side: will, mark, name, directory, in that order.

use talaria_codec::{Disconnect, ReasonCode, Version};

use super::{mark, will};
use crate::event_loop::mailbox::News;
use crate::session::{Connection, Phase, Turn};

pub(crate) fn on_disconnect(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Disconnect<'_>) {
    if packet.reason != ReasonCode::DisconnectWithWill {
        connection.will = None;
    }
    // A clean end ends what was acknowledged (PROTOCOL "Never twice").
    if let Some(kept) = &mut connection.kept {
        kept.resend_floor = turn.shared.settled;
    }
    leave(connection, turn);
}

/// Closes with a reason; the will goes out.
pub(crate) fn fail(connection: &mut Connection, turn: &mut Turn<'_>, reason: ReasonCode) {
    if matches!(connection.phase, Phase::Live) {
        say(connection, reason);
    }
    leave(connection, turn);
}

/// DISCONNECT to a 5.0 client that is logged in; 3.1.1 has no such packet from a server.
pub(crate) fn say(connection: &mut Connection, reason: ReasonCode) {
    if connection.version == Version::V5 && connection.phase == Phase::Live {
        connection.wire().disconnect(reason);
    }
}

/// Gives everything back. What is unwritten still goes out.
pub(crate) fn leave(connection: &mut Connection, turn: &mut Turn<'_>) {
    if matches!(connection.phase, Phase::Closing | Phase::Over) {
        return;
    }
    if connection.phase == Phase::Live {
        will::publish_now(connection, turn);
        mark::write(connection, turn, false, None);
    }
    connection.phase = Phase::Closing;
    give_back(connection, turn);
}

/// The name and the place in the directory; once, however the connection came to its end.
pub(crate) fn give_back(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(user) = connection.user.take() else { return };
    if std::mem::take(&mut connection.is_registered) {
        turn.shared.deps.directory.unregister(user, turn.me);
    }
    turn.shared.deps.claims.release(user, &connection.client_id, connection.generation);
    if let Some(waiter) = connection.active.as_mut().and_then(|active| active.waiter.take()) {
        turn.tell(waiter, News::HandedOver);
    }
}

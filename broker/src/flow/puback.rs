//! PUBACK of a client: an event of its inbox is acknowledged.

use crate::session::{Connection, Turn};

pub(crate) fn on_puback(connection: &mut Connection, turn: &mut Turn<'_>, packet_id: u16) {
    let moment = turn.moment();
    // An id that is not in flight is no error: an earlier connection may have used it (D9).
    if let Some(delivery) = connection.active.as_mut().and_then(|active| active.delivery.as_mut()) {
        delivery.on_acked(packet_id, &moment);
        delivery.on_room(&moment);
    }
    if let Some(kept) = &mut connection.kept {
        kept.is_mark_due = true;
    }
}

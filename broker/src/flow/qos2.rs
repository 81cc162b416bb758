//! PUBREL to PUBCOMP: the client gives a packet id back (section 4.3.3).

use crate::session::{Connection, Turn};

pub(crate) fn on_pubrel(connection: &mut Connection, _turn: &mut Turn<'_>, packet_id: u16) {
    if let Some(kept) = &mut connection.kept {
        kept.unreleased.retain(|id| *id != packet_id);
        kept.is_mark_due = true;
    }
    connection.wire().pubcomp(packet_id);
}

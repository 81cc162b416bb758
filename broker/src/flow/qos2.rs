//! PUBREL to PUBCOMP: the client gives a packet id back (section 4.3.3).

use std::num::NonZeroU16;

use crate::session::{Connection, Turn};

pub(crate) fn on_pubrel(connection: &mut Connection, _turn: &mut Turn<'_>, packet_id: NonZeroU16) {
    if let Some(kept) = &mut connection.kept {
        kept.unreleased.retain(|id| *id != packet_id.get());
        kept.is_mark_due = true;
    }
    connection.wire().pubcomp(packet_id);
}

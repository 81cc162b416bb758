//! PUBREL to PUBCOMP: the client gives a packet id back (section 4.3.3).

use std::num::NonZeroU16;

use talaria_codec::{ReasonCode, Version};

use crate::session::Connection;

/// A packet id that is not held is released all the same: its PUBCOMP was lost, or the broker that held it died.
pub(crate) fn on_pubrel(connection: &mut Connection, packet_id: NonZeroU16) {
    let unreleased = &mut connection.active().unreleased;
    let held = unreleased.len();
    unreleased.retain(|id| *id != packet_id.get());
    let was_held = unreleased.len() < held;
    if let Some(kept) = &mut connection.kept {
        kept.is_mark_due = true;
    }
    let is_unknown = !was_held && connection.version == Version::V5;
    connection
        .wire()
        .pubcomp(packet_id, if is_unknown { ReasonCode::PacketIdentifierNotFound } else { ReasonCode::Success });
}

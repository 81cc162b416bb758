//! UNSUBSCRIBE.

use talaria_codec::{ReasonCode, Unsubscribe};

use super::{mark, subscribe};
use crate::session::{Connection, Turn};

pub(crate) fn on_unsubscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Unsubscribe<'_>) {
    let mut reasons = Vec::new();
    for filter in packet.filters.iter() {
        reasons.push(match subscribe::own_filter(connection, turn, filter) {
            Some((topic, spelling)) if connection.own.get(topic, spelling).is_some() => {
                connection.own.set(topic, spelling, None);
                ReasonCode::Success
            }
            _ => ReasonCode::NoSubscriptionExisted,
        });
    }
    mark::write_row(connection, turn);
    connection.wire().unsuback(packet.packet_id, &reasons);
}

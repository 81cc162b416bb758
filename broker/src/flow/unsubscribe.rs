//! UNSUBSCRIBE.

use talaria_codec::{ReasonCode, Unsubscribe};

use super::subscribe::{Own, own_filter};
use super::{Handled, mark};
use crate::session::{Connection, Turn};

pub(crate) fn on_unsubscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Unsubscribe<'_>) -> Handled {
    let mut unwanted = Vec::new();
    for filter in packet.filters.iter() {
        match own_filter(connection, turn, filter) {
            Own::Wait => return Handled::Wait,
            own => unwanted.push(own),
        }
    }
    let mut reasons = Vec::with_capacity(unwanted.len());
    for own in unwanted {
        reasons.push(match own {
            Own::Filter(topic, spelling) if connection.own.get(topic, spelling).is_some() => {
                connection.own.set(topic, spelling, None);
                ReasonCode::Success
            }
            Own::Unknown => ReasonCode::ImplementationSpecificError,
            _ => ReasonCode::NoSubscriptionExisted,
        });
    }
    mark::write_row(connection, turn, None);
    connection.wire().unsuback(packet.packet_id, &reasons);
    Handled::Done
}

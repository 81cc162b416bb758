//! UNSUBSCRIBE.

use talaria_codec::{ReasonCode, Unsubscribe};
use talaria_core::limits::FILTERS_PER_PACKET_MAX;
use talaria_core::topic::Filter;

use super::subscribe::{Right, own_filter};
use super::{Handled, disconnect, mark};
use crate::session::{Connection, Turn};

pub(crate) fn on_unsubscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Unsubscribe<'_>) -> Handled {
    if packet.filters.iter().nth(FILTERS_PER_PACKET_MAX).is_some() {
        disconnect::fail(connection, turn, ReasonCode::QuotaExceeded);
        return Handled::Done;
    }
    let mut unwanted = Vec::new();
    for filter in packet.filters.iter() {
        // Whoever is no member any more may still take the subscription back.
        let right = match Filter::parse(filter) {
            Some(Filter::ChannelTyping(channel)) => Right::Typing(channel),
            _ => own_filter(connection, turn, filter),
        };
        match right {
            Right::Wait => return Handled::Wait,
            right => unwanted.push(right),
        }
    }
    let mut reasons = Vec::with_capacity(unwanted.len());
    for right in unwanted {
        reasons.push(take_back(connection, &right));
    }
    mark::write_row(connection, turn, None);
    connection.wire().unsuback(packet.packet_id, &reasons);
    Handled::Done
}

fn take_back(connection: &mut Connection, right: &Right) -> ReasonCode {
    let was_there = match right {
        Right::Own(topic, spelling) => {
            let was_there = connection.own.get(*topic, *spelling).is_some();
            connection.own.set(*topic, *spelling, None);
            was_there
        }
        Right::Typing(channel) => {
            let was_there = connection.channels.as_mut().is_some_and(|channels| channels.unset(*channel));
            connection.channels = connection.channels.take().filter(|channels| !channels.is_empty());
            was_there
        }
        Right::None | Right::Wait => false,
    };
    if was_there { ReasonCode::Success } else { ReasonCode::NoSubscriptionExisted }
}

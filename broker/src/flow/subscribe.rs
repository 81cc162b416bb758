//! SUBSCRIBE: rights, the granted QoS, and the mark that is durable before SUBACK (PROTOCOL "Catching up").

use talaria_codec::{ReasonCode, Subscribe, Version, topic};
use talaria_core::topic::{Filter, OwnTopic, UserRef};

use super::mark;
use crate::delivery::Delivery;
use crate::session::{Connection, Spelling, Turn, ticket};

pub(crate) fn on_subscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Subscribe<'_>) {
    let mut reasons = Vec::new();
    for filter in packet.filters.iter() {
        reasons.push(grant(connection, turn, filter.filter, filter.options.qos.number()));
    }
    if connection.own.is_empty() {
        return connection.wire().suback(packet.packet_id, &reasons);
    }
    connection.register(turn);
    let is_first = connection.kept.as_ref().is_some_and(|kept| !kept.has_mark);
    mark::write_row(connection, turn);
    if !is_first {
        return connection.wire().suback(packet.packet_id, &reasons);
    }
    // D4: it is in the directory; what comes before the mark is durable is delivered as well, which is no harm.
    let last_packet_id = connection.last_packet_id;
    connection.active().delivery.get_or_insert_with(|| Delivery::current(last_packet_id));
    if let Some(kept) = &mut connection.kept {
        kept.has_mark = true;
    }
    let reply = turn.reply(ticket::NUMBER_MAX);
    let start = connection.wire().out.len();
    connection.wire().suback(packet.packet_id, &reasons);
    let suback = connection.wire().out.split_off(start);
    connection.active().suback = Some(suback);
    connection.is_paused = true;
    mark::write(connection, turn, true, Some(reply));
}

/// The first mark is durable.
pub(crate) fn on_written(connection: &mut Connection) {
    if let Some(suback) = connection.active().suback.take() {
        connection.is_paused = false;
        connection.wire().out.extend_from_slice(&suback);
    }
}

fn grant(connection: &mut Connection, turn: &Turn<'_>, filter: &str, qos: u8) -> ReasonCode {
    if connection.version == Version::V5 && matches!(topic::share(filter), Ok(Some(_)) | Err(_)) {
        return ReasonCode::SharedSubscriptionsNotSupported;
    }
    let Some((topic, spelling)) = own_filter(connection, turn, filter) else { return ReasonCode::NotAuthorized };
    if let (Spelling::Handle, Some(handle)) = (spelling, filter.split('/').nth(1)) {
        connection.handle = Some(handle.into());
    }
    connection.own.set(topic, spelling, Some(qos.min(1)));
    if qos == 0 { ReasonCode::Success } else { ReasonCode::GrantedQoS1 }
}

/// The filter's form and spelling, where it is in the user's own tree.
pub(crate) fn own_filter(connection: &Connection, turn: &Turn<'_>, filter: &str) -> Option<(OwnTopic, Spelling)> {
    let Some(Filter::User(user, topic)) = Filter::parse(filter) else { return None };
    let spelling = match user {
        UserRef::Me => Spelling::Me,
        UserRef::Id(user) if Some(user) == connection.user => Spelling::Id,
        UserRef::Handle(handle) if turn.shared.deps.people.cached(&handle) == connection.user => Spelling::Handle,
        _ => return None,
    };
    Some((topic, spelling))
}

/// A subscription of the stored session; its rights were checked when it was asked for, and one's own tree stays one's own.
pub(crate) fn restore(connection: &mut Connection, filter: &str, options: u8) {
    let Some(Filter::User(user, topic)) = Filter::parse(filter) else { return };
    let spelling = match user {
        UserRef::Me => Spelling::Me,
        UserRef::Id(user) if Some(user) == connection.user => Spelling::Id,
        UserRef::Id(_) => return,
        UserRef::Handle(_) => {
            connection.handle = filter.split('/').nth(1).map(Into::into);
            Spelling::Handle
        }
    };
    connection.own.set(topic, spelling, Some(options & 3));
}

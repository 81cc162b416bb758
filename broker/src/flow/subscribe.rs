//! SUBSCRIBE: rights, the granted QoS, and what is durable before SUBACK (PROTOCOL "Catching up").

use talaria_codec::{ReasonCode, Subscribe, Version, topic};
use talaria_core::topic::{Filter, OwnTopic, UserRef};

use super::{Handled, disconnect, mark};
use crate::delivery::Delivery;
use crate::session::lookup::{Resolved, resolve};
use crate::session::{Connection, Spelling, Turn, ticket};

pub(crate) fn on_subscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Subscribe<'_>) -> Handled {
    // First all names, for nothing may be granted by a packet that still waits.
    let mut wanted = Vec::new();
    for filter in packet.filters.iter() {
        match own_filter(connection, turn, filter.filter) {
            Own::Wait => return Handled::Wait,
            own => wanted.push((filter.filter, filter.options.qos.number(), own)),
        }
    }
    let is_first = connection.own.is_empty();
    let reasons: Vec<_> = wanted.into_iter().map(|(filter, qos, own)| grant(connection, filter, qos, &own)).collect();
    if !connection.own.is_empty() {
        connection.register(turn);
    }
    if connection.own.is_empty() || connection.kept.is_none() {
        connection.wire().suback(packet.packet_id, &reasons);
    } else {
        make_durable(connection, turn, packet, &reasons, is_first);
    }
    Handled::Done
}

fn make_durable(
    connection: &mut Connection,
    turn: &Turn<'_>,
    packet: &Subscribe<'_>,
    reasons: &[ReasonCode],
    is_first: bool,
) {
    hold_suback(connection, packet, reasons);
    let reply = Some(turn.reply(ticket::NUMBER_MAX));
    if !is_first {
        return mark::write_row(connection, turn, reply);
    }
    // D4: it is in the directory; what comes before the mark is durable is delivered as well, which is no harm.
    let last_packet_id = connection.last_packet_id;
    connection.active().delivery.get_or_insert_with(|| Box::new(Delivery::current(last_packet_id)));
    mark::write_row(connection, turn, None);
    mark::write(connection, turn, true, reply);
}

/// Keeps the answer back, and every later packet of the client with it, until the rows are durable.
fn hold_suback(connection: &mut Connection, packet: &Subscribe<'_>, reasons: &[ReasonCode]) {
    let start = connection.wire().out.len();
    connection.wire().suback(packet.packet_id, reasons);
    let suback = connection.wire().out.split_off(start);
    connection.active().suback = Some(suback);
}

/// The rows are durable, or the store did not take them: the client asks again.
pub(crate) fn on_written(connection: &mut Connection, turn: &mut Turn<'_>, is_written: bool) {
    let Some(suback) = connection.active().suback.take() else { return };
    if is_written {
        connection.wire().out.extend_from_slice(&suback);
    } else {
        disconnect::fail(connection, turn, ReasonCode::ServerBusy);
    }
}

fn grant(connection: &mut Connection, filter: &str, qos: u8, own: &Own) -> ReasonCode {
    if connection.version == Version::V5 && matches!(topic::share(filter), Ok(Some(_)) | Err(_)) {
        return ReasonCode::SharedSubscriptionsNotSupported;
    }
    let (topic, spelling) = match own {
        Own::Filter(topic, spelling) => (*topic, *spelling),
        Own::Unknown => return ReasonCode::ImplementationSpecificError,
        Own::Foreign | Own::Wait => return ReasonCode::NotAuthorized,
    };
    if let (Spelling::Handle, Some(handle)) = (spelling, filter.split('/').nth(1)) {
        connection.handle = Some(handle.into());
    }
    connection.own.set(topic, spelling, Some(qos.min(1)));
    if qos == 0 { ReasonCode::Success } else { ReasonCode::GrantedQoS1 }
}

/// What a filter is to this user.
pub(crate) enum Own {
    /// In the user's own tree.
    Filter(OwnTopic, Spelling),
    /// Nothing they may subscribe to.
    Foreign,
    /// The store cannot say now whose handle it spells.
    Unknown,
    /// It is being looked up.
    Wait,
}

/// The filter's form and spelling, where it is in the user's own tree.
pub(crate) fn own_filter(connection: &mut Connection, turn: &Turn<'_>, filter: &str) -> Own {
    let Some(Filter::User(user, topic)) = Filter::parse(filter) else { return Own::Foreign };
    match user {
        UserRef::Me => Own::Filter(topic, Spelling::Me),
        UserRef::Id(user) if Some(user) == connection.user => Own::Filter(topic, Spelling::Id),
        UserRef::Id(_) => Own::Foreign,
        UserRef::Handle(handle) => match resolve(connection, turn, &handle) {
            Resolved::User(user) if Some(user) == connection.user => Own::Filter(topic, Spelling::Handle),
            Resolved::User(_) | Resolved::Nobody => Own::Foreign,
            Resolved::Unknown => Own::Unknown,
            Resolved::Wait => Own::Wait,
        },
    }
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

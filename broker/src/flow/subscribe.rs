//! SUBSCRIBE: rights, the granted QoS, and what is durable before SUBACK (PROTOCOL "Catching up").

use talaria_codec::{ReasonCode, Subscribe, SubscribeFilter, Version, topic};
use talaria_core::ChannelId;
use talaria_core::limits::FILTERS_PER_PACKET_MAX;
use talaria_core::topic::{Filter, OwnTopic, UserRef};

use super::{Handled, disconnect, mark};
use crate::delivery::Delivery;
use crate::session::lookup::{Answer, is_member, user_of};
use crate::session::{Connection, Spelling, Turn, ticket};

pub(crate) fn on_subscribe(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Subscribe<'_>) -> Handled {
    if packet.properties.subscription_identifier.is_some() {
        // Section 3.2.2.3.12: CONNACK says that there are none.
        disconnect::fail(connection, turn, ReasonCode::SubscriptionIdentifiersNotSupported);
        return Handled::Done;
    }
    if packet.filters.iter().nth(FILTERS_PER_PACKET_MAX).is_some() {
        disconnect::fail(connection, turn, ReasonCode::QuotaExceeded);
        return Handled::Done;
    }
    // First all rights, for nothing may be granted by a packet that still waits.
    let mut wanted = Vec::new();
    for filter in packet.filters.iter() {
        match right_to(connection, turn, filter.filter) {
            Right::Wait => return Handled::Wait,
            right => wanted.push((filter, right)),
        }
    }
    let was_placed = !connection.own.is_empty();
    let reasons: Vec<_> = wanted.into_iter().map(|(filter, right)| grant(connection, &filter, &right)).collect();
    if !connection.own.is_empty() || connection.channels.is_some() {
        connection.register(turn);
    }
    if !connection.is_registered || connection.kept.is_none() {
        connection.wire().suback(packet.packet_id, &reasons);
        return Handled::Done;
    }
    hold_suback(connection, packet, &reasons);
    make_durable(connection, turn, was_placed);
    Handled::Done
}

/// The row, and before the first subscription to one's own tree the mark that says from where on events are owed.
fn make_durable(connection: &mut Connection, turn: &Turn<'_>, was_placed: bool) {
    let reply = Some(turn.reply(ticket::NUMBER_MAX));
    if was_placed || connection.own.is_empty() {
        return mark::write_row(connection, turn, reply);
    }
    // D4: it is in the directory, and begins as a resume from the mark that is written here: what was fanned out between M and
    // the registration is owed, though nobody told it.
    let settled = turn.moment().settled;
    let last_packet_id = connection.last_packet_id;
    connection.active().delivery.get_or_insert_with(|| Box::new(Delivery::begin(last_packet_id, settled)));
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

fn grant(connection: &mut Connection, filter: &SubscribeFilter<'_>, right: &Right) -> ReasonCode {
    if connection.version == Version::V5 && matches!(topic::share(filter.filter), Ok(Some(_)) | Err(_)) {
        return ReasonCode::SharedSubscriptionsNotSupported;
    }
    let qos = filter.options.qos.number().min(1);
    match right {
        Right::Own(topic, spelling) => {
            if let (Spelling::Handle, Some(handle)) = (spelling, filter.filter.split('/').nth(1)) {
                connection.handle = Some(handle.into());
            }
            connection.own.set(*topic, *spelling, Some(qos));
        }
        Right::Typing(channel) => {
            if !connection.channels.get_or_insert_default().set(*channel) {
                return ReasonCode::QuotaExceeded;
            }
            // Typing is told once or not at all.
            return ReasonCode::Success;
        }
        Right::None | Right::Wait => return ReasonCode::NotAuthorized,
    }
    if qos == 0 { ReasonCode::Success } else { ReasonCode::GrantedQoS1 }
}

/// What a filter is to this user.
pub(crate) enum Right {
    /// In the user's own tree.
    Own(OwnTopic, Spelling),
    /// Typing in a channel that the user is in.
    Typing(ChannelId),
    /// Nothing they may subscribe to.
    None,
    /// It is being looked up.
    Wait,
}

fn right_to(connection: &mut Connection, turn: &Turn<'_>, filter: &str) -> Right {
    let Some(Filter::ChannelTyping(channel)) = Filter::parse(filter) else {
        return own_filter(connection, turn, filter);
    };
    match is_member(connection, turn, channel) {
        Answer::Member => Right::Typing(channel),
        Answer::Wait => Right::Wait,
        Answer::No | Answer::User(_) => Right::None,
    }
}

/// The filter's form and spelling, where it is in the user's own tree.
pub(crate) fn own_filter(connection: &mut Connection, turn: &Turn<'_>, filter: &str) -> Right {
    let Some(Filter::User(user, topic)) = Filter::parse(filter) else { return Right::None };
    match user {
        UserRef::Me => Right::Own(topic, Spelling::Me),
        UserRef::Id(user) if Some(user) == connection.user => Right::Own(topic, Spelling::Id),
        UserRef::Id(_) => Right::None,
        UserRef::Handle(handle) => match user_of(connection, turn, &handle) {
            Answer::User(user) if Some(user) == connection.user => Right::Own(topic, Spelling::Handle),
            Answer::Wait => Right::Wait,
            Answer::User(_) | Answer::No | Answer::Member => Right::None,
        },
    }
}

/// A subscription of the stored session; its rights were checked when it was asked for. One's own tree stays one's own, and of a channel
/// members alone are told.
pub(crate) fn restore(connection: &mut Connection, filter: &str, options: u8) {
    let (user, topic) = match Filter::parse(filter) {
        Some(Filter::User(user, topic)) => (user, topic),
        Some(Filter::ChannelTyping(channel)) => {
            connection.channels.get_or_insert_default().set(channel);
            return;
        }
        _ => return,
    };
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

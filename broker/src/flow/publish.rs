//! PUBLISH of a client: topic, payload, submission; its acknowledgement waits in line (MQTT-4.6.0-2).

use std::num::NonZeroU16;
use std::sync::Arc;

use talaria_codec::{Publish, QoS, ReasonCode, Version};
use talaria_core::limits::{INBOUND_IN_FLIGHT_MAX, SETTLE_DEADLINE_S};
use talaria_core::topic::{PublishTopic, Target, UserRef};
use talaria_core::{Code, ConversationId, Handle, Origin, Seq, UserId, event, payload};
use talaria_port::error::Refusal;
use talaria_port::ingest::{Intake, OriginClaim, Outcome, Submission};

use super::disconnect;
use crate::event_loop::mailbox::News;
use crate::session::{Connection, Phase, Turn, ticket};

/// A publish whose acknowledgement waits for its turn.
pub(crate) struct Publishing {
    pub(crate) number: u32,
    pub(crate) packet_id: Option<NonZeroU16>,
    pub(crate) qos: QoS,
    pub(crate) topic: Box<str>,
    pub(crate) since_ms: u64,
    pub(crate) state: State,
}

/// How far it is.
pub(crate) enum State {
    /// The handle is being looked up.
    Resolving(Handle, Box<[u8]>, bool),
    /// Submitted.
    Submitted,
    /// Answered; waits for those before it.
    Settled(Outcome),
}

pub(crate) fn on_publish(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Publish<'_>) {
    let waiting = connection.active.as_ref().map_or(0, |active| active.publishing.len());
    if waiting >= usize::from(INBOUND_IN_FLIGHT_MAX) && packet.qos != QoS::AtMostOnce {
        return disconnect::fail(connection, turn, ReasonCode::ReceiveMaximumExceeded);
    }
    if let (QoS::ExactlyOnce, Some(id), Some(kept)) = (packet.qos, packet.packet_id, &connection.kept)
        && kept.unreleased.contains(&id.get())
    {
        // MQTT-4.3.3-10: not released yet, so it is the same one.
        return connection.wire().pubrec(id, ReasonCode::Success);
    }
    connection.last_number = (connection.last_number + 1) % ticket::NUMBER_MAX;
    let number = connection.last_number;
    let mut publishing = Publishing {
        number,
        packet_id: packet.packet_id,
        qos: packet.qos,
        topic: packet.topic.into(),
        since_ms: turn.shared.now_ms,
        state: State::Submitted,
    };
    match target_of(connection, turn, packet.topic) {
        Err(refusal) => publishing.state = State::Settled(Outcome::Refused(refusal)),
        Ok(None) => publishing.state = State::Settled(Outcome::Done),
        Ok(Some(Where::Ask(handle))) => {
            let people = Arc::clone(&turn.shared.deps.people);
            publishing.state = State::Resolving(handle.clone(), packet.payload.into(), packet.dup);
            connection.is_paused = true;
            turn.ask(async move {
                let answer = people.by_handle(&handle).await;
                News::Resolved(handle, answer)
            });
        }
        Ok(Some(Where::At(conversation))) => {
            submit(connection, turn, &mut publishing, conversation, packet.payload, packet.dup);
        }
    }
    connection.active().publishing.push_back(publishing);
    settle(connection, turn);
}

/// Where a publish goes.
enum Where {
    At(ConversationId),
    Ask(Handle),
}

fn target_of(connection: &Connection, turn: &Turn<'_>, topic: &str) -> Result<Option<Where>, Refusal> {
    let Some(me) = connection.user else { return Err(Code::NotAuthenticated.into()) };
    let target = match PublishTopic::parse(topic) {
        Some(PublishTopic::Message(target) | PublishTopic::Typing(target) | PublishTopic::Read(target)) => target,
        // Accepted and without effect until presence is there, so that clients with such a will can connect.
        Some(PublishTopic::Presence(UserRef::Me)) => return Ok(None),
        Some(PublishTopic::Presence(UserRef::Id(user))) if user == me => return Ok(None),
        Some(PublishTopic::Presence(_)) => return Err(Code::NotAllowed.into()),
        Some(PublishTopic::Signal(..)) => {
            return Err(Refusal::new(Code::NotAllowed, "signals are not supported by this server"));
        }
        None => return Err(Code::TopicInvalid.into()),
    };
    Ok(Some(match target {
        Target::Channel(channel) => Where::At(ConversationId::Channel(channel)),
        Target::User(UserRef::Me) => Where::At(ConversationId::dm(me, me)),
        Target::User(UserRef::Id(user)) => Where::At(ConversationId::dm(me, user)),
        Target::User(UserRef::Handle(handle)) => match turn.shared.deps.people.cached(&handle) {
            Some(user) => Where::At(ConversationId::dm(me, user)),
            None => Where::Ask(handle),
        },
    }))
}

/// The answer to a lookup: the publish that waits goes on, and the client's packets again.
pub(crate) fn on_resolved(
    connection: &mut Connection,
    turn: &mut Turn<'_>,
    handle: &Handle,
    answer: Result<Option<UserId>, talaria_port::StoreError>,
) {
    connection.is_paused = false;
    let Some(mut last) = connection.active.as_mut().and_then(|active| active.publishing.pop_back()) else { return };
    if let State::Resolving(asked, payload, dup) = std::mem::replace(&mut last.state, State::Submitted)
        && asked == *handle
    {
        match (answer, connection.user) {
            (Ok(Some(user)), Some(me)) => {
                submit(connection, turn, &mut last, ConversationId::dm(me, user), &payload, dup);
            }
            (Ok(_), _) => last.state = State::Settled(Outcome::Refused(Code::UnknownUser.into())),
            (Err(error), _) => last.state = State::Settled(Outcome::Refused(error.into())),
        }
    }
    connection.active().publishing.push_back(last);
    settle(connection, turn);
}

fn submit(
    connection: &mut Connection,
    turn: &mut Turn<'_>,
    publishing: &mut Publishing,
    conversation: ConversationId,
    payload: &[u8],
    dup: bool,
) {
    let Some(user) = connection.user else { return };
    match intake_of(connection, publishing, payload, dup) {
        Err(refusal) => publishing.state = State::Settled(Outcome::Refused(refusal)),
        Ok(intake) => {
            let reply = turn.reply(publishing.number);
            let rollbacks = turn.shared.rollbacks;
            turn.shared.submissions.push(Submission { reply, user, conversation, intake, rollbacks });
        }
    }
}

fn intake_of(
    connection: &mut Connection,
    publishing: &Publishing,
    payload: &[u8],
    dup: bool,
) -> Result<Intake, Refusal> {
    match PublishTopic::parse(&publishing.topic) {
        Some(PublishTopic::Typing(_)) => Ok(Intake::Typing),
        Some(PublishTopic::Read(_)) => read_seq(payload)
            .map(Intake::Read)
            .ok_or_else(|| Refusal::new(Code::PayloadInvalid, "field `seq` must be a number")),
        _ => {
            let message = payload::parse(payload).map_err(|error| Refusal::new(error.code, error.reason))?;
            let origin = match (&message.key, publishing.packet_id) {
                (None, Some(packet_id)) => Some(claim_of(connection, packet_id.get(), payload, dup)),
                _ => None,
            };
            Ok(Intake::Message { body: message.body.into(), key: message.key, origin })
        }
    }
}

/// PROTOCOL "Never twice" for clients that send no key.
fn claim_of(connection: &mut Connection, packet_id: u16, payload: &[u8], dup: bool) -> OriginClaim {
    let floor = connection.kept.as_ref().map(|kept| kept.resend_floor).unwrap_or_default();
    OriginClaim {
        origin: Origin {
            client: event::hash(connection.client_id.as_bytes()),
            packet_id,
            payload: event::hash(payload),
        },
        generation: connection.generation,
        resend_above: dup.then_some(floor),
    }
}

/// `{"seq":n}`.
fn read_seq(payload: &[u8]) -> Option<Seq> {
    let text = std::str::from_utf8(payload).ok()?;
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let (name, value) = inner.split_once(':')?;
    (name.trim() == "\"seq\"").then(|| value.trim().parse().ok()).flatten().map(Seq)
}

/// The pipeline's answer.
pub(crate) fn on_outcome(connection: &mut Connection, turn: &mut Turn<'_>, number: u32, outcome: Outcome) {
    let Some(active) = &mut connection.active else { return };
    if let Some(publishing) = active.publishing.iter_mut().find(|publishing| publishing.number == number) {
        publishing.state = State::Settled(outcome);
    }
    settle(connection, turn);
}

/// Acknowledges what is settled, in the order of the publishes.
fn settle(connection: &mut Connection, turn: &mut Turn<'_>) {
    while connection.phase == Phase::Live
        && let Some(active) = &mut connection.active
        && matches!(active.publishing.front(), Some(Publishing { state: State::Settled(_), .. }))
        && let Some(first) = active.publishing.pop_front()
    {
        let State::Settled(outcome) = &first.state else { return };
        match outcome {
            Outcome::Stale => return connection.phase = Phase::Closing,
            // Never acknowledged: the client sends it again on its next connection, which settles it.
            Outcome::Unavailable => return disconnect::fail(connection, turn, ReasonCode::ServerBusy),
            outcome => acknowledge(connection, &first, outcome),
        }
    }
}

fn acknowledge(connection: &mut Connection, publishing: &Publishing, outcome: &Outcome) {
    if let Outcome::Refused(refusal) = outcome
        && (connection.version == Version::V311 || publishing.packet_id.is_none())
    {
        super::deliver::reject(connection, publishing, refusal);
    }
    let Some(packet_id) = publishing.packet_id else { return };
    let wants_info = connection.wants_problem_info;
    let is_refused = matches!(outcome, Outcome::Refused(_));
    if publishing.qos == QoS::ExactlyOnce
        && !(is_refused && connection.version == Version::V5)
        && let Some(kept) = &mut connection.kept
    {
        kept.unreleased.push(packet_id.get());
        kept.is_mark_due = true;
    }
    connection.wire().publish_ack(publishing.qos, packet_id, outcome, wants_info);
}

/// When the first unanswered publish is too old for its connection to go on, monotonic ms.
pub(crate) fn deadline_ms(connection: &Connection) -> Option<u64> {
    let first = connection.active.as_ref()?.publishing.front()?;
    Some(first.since_ms + u64::from(SETTLE_DEADLINE_S) * 1000)
}

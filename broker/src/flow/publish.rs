//! PUBLISH of a client: topic, payload, submission; its acknowledgement waits in line (MQTT-4.6.0-2).

use std::collections::VecDeque;
use std::num::NonZeroU16;

use talaria_codec::{Publish, QoS, ReasonCode, Version};
use talaria_core::limits::{SETTLE_DEADLINE_S, UNRELEASED_MAX};
use talaria_core::topic::{PublishTopic, Target, UserRef};
use talaria_core::{Code, ConversationId, Origin, Seq, event, payload};
use talaria_port::error::Refusal;
use talaria_port::ingest::{Intake, OriginClaim, Outcome, Submission};

use super::{Handled, disconnect};
use crate::session::lookup::{Answer, user_of};
use crate::session::{Connection, Phase, Turn, ticket};

/// A publish whose acknowledgement waits for its turn.
pub(crate) struct Publishing {
    pub(crate) number: u32,
    pub(crate) packet_id: Option<NonZeroU16>,
    pub(crate) qos: QoS,
    pub(crate) topic: Box<str>,
    pub(crate) bytes: usize,
    pub(crate) since_ms: u64,
    pub(crate) state: State,
}

/// How far it is.
pub(crate) enum State {
    /// Submitted; kept, because it may have to be submitted again.
    Submitted(ConversationId, Intake),
    /// Surely not stored for now; submitted again in its order.
    Again(ConversationId, Intake),
    /// Answered; waits for those before it.
    Settled(Outcome),
}

/// Where a publish goes.
pub(crate) enum Where {
    At(ConversationId, What),
    /// Accepted, and without effect.
    Nowhere,
    /// A handle is being looked up.
    Wait,
}

/// What a topic takes.
#[derive(Clone, Copy)]
pub(crate) enum What {
    Message,
    Typing,
    Read,
}

pub(crate) fn on_publish(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Publish<'_>) -> Handled {
    if packet.properties.topic_alias.is_some() {
        // MQTT-3.2.2-18: CONNACK allows none.
        disconnect::fail(connection, turn, ReasonCode::TopicAliasInvalid);
        return Handled::Done;
    }
    if let (QoS::ExactlyOnce, Some(id)) = (packet.qos, packet.packet_id) {
        let unreleased = connection.active.as_ref().map_or(&[][..], |active| &active.unreleased);
        if unreleased.contains(&id.get()) {
            // MQTT-4.3.3-10: not released yet, so it is the same one. Its PUBREC waits in line (MQTT-4.6.0-3).
            return queue(connection, turn, packet, State::Settled(Outcome::Done));
        }
        let is_same = |publishing: &Publishing| publishing.packet_id == packet.packet_id;
        let is_in_line = connection.active.as_ref().is_some_and(|active| active.publishing.iter().any(is_same));
        if is_in_line && !packet.dup {
            // MQTT-2.2.1-3: an id that is in use is no new message's.
            disconnect::fail(connection, turn, ReasonCode::ProtocolError);
            return Handled::Done;
        }
        if unreleased.len() >= UNRELEASED_MAX {
            disconnect::fail(connection, turn, ReasonCode::ReceiveMaximumExceeded);
            return Handled::Done;
        }
    }
    let state = match target_of(connection, turn, packet.topic) {
        Ok(Where::Wait) => return Handled::Wait,
        Ok(Where::Nowhere) => State::Settled(Outcome::Done),
        Err(refusal) => State::Settled(Outcome::Refused(refusal)),
        Ok(Where::At(conversation, what)) => match intake_of(connection, what, packet) {
            Ok(intake) => State::Submitted(conversation, intake),
            Err(refusal) => State::Settled(Outcome::Refused(refusal)),
        },
    };
    queue(connection, turn, packet, state)
}

/// Submits what is to be submitted; the answer to the packet waits in line.
fn queue(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Publish<'_>, state: State) -> Handled {
    connection.last_number = (connection.last_number + 1) % ticket::NUMBER_MAX;
    let publishing = Publishing {
        number: connection.last_number,
        packet_id: packet.packet_id,
        qos: packet.qos,
        topic: packet.topic.into(),
        bytes: packet.topic.len() + packet.payload.len(),
        since_ms: turn.shared.now_ms,
        state,
    };
    submit(connection, turn, &publishing);
    let active = connection.active();
    active.publishing_bytes += publishing.bytes;
    active.publishing.push_back(publishing);
    settle(connection, turn);
    Handled::Done
}

fn submit(connection: &Connection, turn: &mut Turn<'_>, publishing: &Publishing) {
    let (Some(user), State::Submitted(conversation, intake)) = (connection.user, &publishing.state) else { return };
    let reply = turn.reply(publishing.number);
    let rollbacks = turn.shared.rollbacks;
    let (conversation, intake) = (*conversation, intake.clone());
    turn.shared.submissions.push(Submission { reply, user, conversation, intake, rollbacks });
}

/// The conversation of a topic that this user may spell; whether they may write there is decided where it is written.
pub(crate) fn target_of(connection: &mut Connection, turn: &Turn<'_>, topic: &str) -> Result<Where, Refusal> {
    let Some(me) = connection.user else { return Err(Code::NotAuthenticated.into()) };
    let (target, what) = match PublishTopic::parse(topic) {
        Some(PublishTopic::Message(target)) => (target, What::Message),
        Some(PublishTopic::Typing(target)) => (target, What::Typing),
        Some(PublishTopic::Read(target)) => (target, What::Read),
        // Accepted and without effect until presence is there, so that clients with such a will can connect.
        Some(PublishTopic::Presence(UserRef::Me)) => return Ok(Where::Nowhere),
        Some(PublishTopic::Presence(UserRef::Id(user))) if user == me => return Ok(Where::Nowhere),
        Some(PublishTopic::Presence(_)) => return Err(Code::NotAllowed.into()),
        Some(PublishTopic::Signal(..)) => {
            return Err(Refusal::new(Code::NotAllowed, "signals are not supported by this server"));
        }
        None => return Err(Code::TopicInvalid.into()),
    };
    let conversation = match target {
        Target::Channel(channel) => ConversationId::Channel(channel),
        Target::User(UserRef::Me) => ConversationId::dm(me, me),
        Target::User(UserRef::Id(user)) => ConversationId::dm(me, user),
        Target::User(UserRef::Handle(handle)) => match user_of(connection, turn, &handle) {
            Answer::User(user) => ConversationId::dm(me, user),
            Answer::Wait => return Ok(Where::Wait),
            Answer::No | Answer::Member => return Err(Code::UnknownUser.into()),
        },
    };
    Ok(Where::At(conversation, what))
}

fn intake_of(connection: &mut Connection, what: What, packet: &Publish<'_>) -> Result<Intake, Refusal> {
    match what {
        What::Typing => Ok(Intake::Typing),
        What::Read => read_seq(packet.payload)
            .map(Intake::Read)
            .ok_or_else(|| Refusal::new(Code::PayloadInvalid, "field `seq` must be a number")),
        What::Message => {
            let message = payload::parse(packet.payload).map_err(|error| Refusal::new(error.code, error.reason))?;
            let claim = packet.packet_id.map(|packet_id| claim_of(connection, packet_id.get(), packet));
            // A key says all; who has none is recognized by what it sent.
            let origin = if message.key.is_none() { claim } else { None };
            Ok(Intake::Message { body: message.body.into(), key: message.key, origin })
        }
    }
}

/// A will's intake: at QoS 0, for nobody waits for its answer.
pub(crate) fn will_intake(what: What, payload: &[u8]) -> Option<Intake> {
    match what {
        What::Typing => Some(Intake::Typing),
        What::Read => read_seq(payload).map(Intake::Read),
        What::Message => {
            let message = payload::parse(payload).ok()?;
            Some(Intake::Message { body: message.body.into(), key: message.key, origin: None })
        }
    }
}

/// PROTOCOL "Never twice" for clients that send no key.
fn claim_of(connection: &mut Connection, packet_id: u16, packet: &Publish<'_>) -> OriginClaim {
    let generation = connection.generation;
    let resend_above = connection.resend.get_or_insert_default().on_publish(packet_id, packet.dup, generation);
    OriginClaim {
        origin: Origin {
            client: event::hash(connection.client_id.as_bytes()),
            packet_id,
            payload: event::hash(packet.payload),
        },
        generation: connection.generation,
        resend_above,
    }
}

/// `{"seq":n}`.
fn read_seq(payload: &[u8]) -> Option<Seq> {
    #[derive(serde::Deserialize)]
    struct Read {
        seq: Seq,
    }
    serde_json::from_slice::<Read>(payload).ok().map(|read| read.seq)
}

/// The pipeline's answer.
pub(crate) fn on_outcome(connection: &mut Connection, turn: &mut Turn<'_>, number: u32, outcome: Outcome) {
    let Some(active) = &mut connection.active else { return };
    let Some(at) = position_of(&active.publishing, number) else { return };
    let Some(publishing) = active.publishing.get_mut(at) else { return };
    let before = std::mem::replace(&mut publishing.state, State::Settled(Outcome::Done));
    publishing.state = match (before, outcome) {
        (State::Submitted(conversation, intake), Outcome::Unavailable) => {
            active.holds_publishes = true;
            State::Again(conversation, intake)
        }
        (_, outcome) => State::Settled(outcome),
    };
    settle(connection, turn);
}

/// Numbers go up by one in the queue, so that no search is needed.
fn position_of(publishing: &VecDeque<Publishing>, number: u32) -> Option<usize> {
    let first = publishing.front()?.number;
    let at = (number + ticket::NUMBER_MAX - first) % ticket::NUMBER_MAX;
    let at = usize::try_from(at).ok()?;
    publishing.get(at).is_some_and(|publishing| publishing.number == number).then_some(at)
}

/// Submits again what was not taken, in its order, once nothing is under way that it could overtake (INV-3).
pub(crate) fn submit_again(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(active) = &mut connection.active else { return };
    let is_under_way = |publishing: &Publishing| matches!(publishing.state, State::Submitted(..));
    if !active.holds_publishes || active.publishing.iter().any(is_under_way) {
        return;
    }
    active.holds_publishes = false;
    let mut publishing = std::mem::take(&mut active.publishing);
    for publishing in &mut publishing {
        let state = std::mem::replace(&mut publishing.state, State::Settled(Outcome::Done));
        let is_again = matches!(state, State::Again(..));
        publishing.state = match state {
            State::Again(conversation, intake) => State::Submitted(conversation, intake),
            other => other,
        };
        if is_again {
            submit(connection, turn, publishing);
        }
    }
    connection.active().publishing = publishing;
}

/// Acknowledges what is settled, in the order of the publishes.
fn settle(connection: &mut Connection, turn: &mut Turn<'_>) {
    while connection.phase == Phase::Live
        && let Some(active) = &mut connection.active
        && matches!(active.publishing.front(), Some(Publishing { state: State::Settled(_), .. }))
        && let Some(first) = active.publishing.pop_front()
    {
        active.publishing_bytes = active.publishing_bytes.saturating_sub(first.bytes);
        let State::Settled(outcome) = &first.state else { return };
        if *outcome == Outcome::Stale {
            return disconnect::fail(connection, turn, ReasonCode::SessionTakenOver);
        }
        acknowledge(connection, &first, outcome);
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
    if publishing.qos == QoS::ExactlyOnce && !(is_refused && connection.version == Version::V5) {
        let unreleased = &mut connection.active().unreleased;
        if !unreleased.contains(&packet_id.get()) {
            unreleased.push(packet_id.get());
        }
        if let Some(kept) = &mut connection.kept {
            kept.is_mark_due = true;
        }
    }
    connection.wire().publish_ack(publishing.qos, packet_id, outcome, wants_info);
}

/// When the first unanswered publish is too old for its connection to go on, monotonic ms.
pub(crate) fn deadline_ms(connection: &Connection) -> Option<u64> {
    let first = connection.active.as_ref()?.publishing.front()?;
    Some(first.since_ms + u64::from(SETTLE_DEADLINE_S) * 1000)
}

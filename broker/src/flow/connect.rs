//! CONNECT to CONNACK: who it is, which session, what is stored of it.
//!
//! check → (ask) → claim → (hand-over by the earlier connection) → load → CONNACK. Packets that follow CONNECT wait.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use talaria_codec::{Connect, ReasonCode, Version};
use talaria_core::limits::{CLIENT_ID_BYTES_MAX, KEEP_ALIVE_S_MAX, SESSION_EXPIRY_S_MAX};
use talaria_port::StoreError;
use talaria_port::authenticate::{Checked, Credentials, Identity};
use talaria_port::directory::{Claim, Claimed};
use talaria_port::sessions::{SessionKey, SessionWrite, StoredSession};

use super::{subscribe, will::Will};
use crate::delivery::Delivery;
use crate::event_loop::mailbox::News;
use crate::session::{Connection, Kept, Phase, Turn};

/// What CONNECT asked for, until CONNACK.
pub(crate) struct Login {
    pub(crate) is_clean: bool,
    pub(crate) expiry_s: u32,
    pub(crate) expiry_cut: bool,
    pub(crate) keep_alive_asked_s: u16,
    pub(crate) is_assigned: bool,
    pub(crate) will: Option<Box<Will>>,
}

pub(crate) fn on_connect(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Connect<'_>) {
    connection.version = packet.version;
    connection.phase = Phase::Connecting;
    let client_id = packet.client_id;
    let is_printable = !client_id.chars().any(char::is_control);
    if client_id.len() > CLIENT_ID_BYTES_MAX || !is_printable || client_id.is_empty() && !packet.clean_start {
        return refuse(connection, ReasonCode::ClientIdentifierNotValid);
    }
    if packet.properties.authentication_method.is_some() {
        return refuse(connection, ReasonCode::BadAuthenticationMethod);
    }
    let will = packet.will.as_ref().map(|will| Box::new(Will::of(will)));
    let asked_s = match packet.version {
        Version::V311 if packet.clean_start => 0,
        Version::V311 => SESSION_EXPIRY_S_MAX,
        Version::V5 => packet.properties.session_expiry_interval.unwrap_or(0),
    };
    connection.client_id = client_id.into();
    connection.receive_max = packet.properties.receive_maximum.map_or(u16::MAX, NonZeroU16::get);
    connection.packet_bytes_max_out = packet.properties.maximum_packet_size.map_or(u32::MAX, NonZeroU32::get);
    connection.wants_problem_info = packet.properties.request_problem_information.unwrap_or(true);
    connection.active().login = Some(Box::new(Login {
        is_clean: packet.clean_start,
        expiry_s: asked_s.min(SESSION_EXPIRY_S_MAX),
        expiry_cut: packet.version == Version::V5 && asked_s > SESSION_EXPIRY_S_MAX,
        keep_alive_asked_s: packet.keep_alive,
        is_assigned: client_id.is_empty(),
        will,
    }));
    let (name, token) = (packet.username, packet.password.unwrap_or_default());
    if token.is_empty() || name.is_none() && packet.version == Version::V311 {
        return refuse(connection, ReasonCode::BadUserNameOrPassword);
    }
    let credentials = Credentials { name: name.map(Into::into), token: token.into() };
    match turn.shared.deps.authenticate.check(&credentials) {
        Checked::Granted(identity) => claim(connection, turn, identity),
        Checked::Denied => refuse(connection, ReasonCode::BadUserNameOrPassword),
        Checked::Ask => {
            let authenticate = Arc::clone(&turn.shared.deps.authenticate);
            turn.ask(async move { News::Authenticated(authenticate.authenticate(&credentials).await) });
        }
    }
}

pub(crate) fn on_authenticated(
    connection: &mut Connection,
    turn: &mut Turn<'_>,
    answer: Result<Option<Identity>, StoreError>,
) {
    match answer {
        Ok(Some(identity)) => claim(connection, turn, identity),
        Ok(None) => refuse(connection, ReasonCode::BadUserNameOrPassword),
        Err(error) => unavailable(connection, &error),
    }
}

fn unavailable(connection: &mut Connection, error: &StoreError) {
    tracing::warn!(%error, "a client is refused");
    refuse(connection, ReasonCode::ServerUnavailable);
}

fn claim(connection: &mut Connection, turn: &mut Turn<'_>, identity: Identity) {
    let generation = match turn.shared.deps.ids.draw() {
        Ok(generation) => generation,
        Err(error) => return unavailable(connection, &error),
    };
    if connection.client_id.is_empty() {
        connection.client_id = format!("talaria-{generation}").into();
    }
    let claim = Claim { generation, address: turn.me };
    let claimed = turn.shared.deps.claims.claim(identity.user, &connection.client_id, claim);
    match claimed {
        Claimed::Lost => return refuse(connection, ReasonCode::ServerBusy),
        Claimed::TooMany => return refuse(connection, ReasonCode::QuotaExceeded),
        Claimed::Free | Claimed::From(_) => {}
    }
    // From here on the name is held, and is given back when the connection ends.
    connection.user = Some(identity.user);
    connection.generation = generation;
    connection.expires_unix_ms = identity.expires_unix_ms;
    match claimed {
        Claimed::From(earlier) => turn.tell(earlier.address, News::TakenOver(turn.me)),
        _ => on_handed_over(connection, turn),
    }
}

/// Nobody else writes to the session any more. A write that changes nothing comes back behind all earlier ones, so that what
/// is loaded is what the earlier connection left.
pub(crate) fn on_handed_over(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(key) = connection.key() else { return };
    let is_clean = connection.active().login.as_ref().is_some_and(|login| login.is_clean);
    let upto = if is_clean { connection.generation.saturating_sub(1) } else { 0 };
    let reply = turn.reply(crate::session::ticket::NUMBER_MAX);
    turn.shared.deps.session_log.write(SessionWrite::End(key, upto), Some(reply));
}

/// What earlier connections wrote is durable.
pub(crate) fn on_written(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(key) = connection.key() else { return };
    if connection.active().login.as_ref().is_none_or(|login| login.is_clean) {
        return establish(connection, turn, None);
    }
    let sessions = Arc::clone(&turn.shared.deps.sessions);
    turn.ask(async move { News::Loaded(sessions.session(&key).await) });
}

pub(crate) fn on_loaded(
    connection: &mut Connection,
    turn: &mut Turn<'_>,
    answer: Result<Option<StoredSession>, StoreError>,
) {
    let stored = match answer {
        Ok(stored) => stored,
        Err(error) => return unavailable(connection, &error),
    };
    let now_ms = turn.shared.deps.clock.unix_ms();
    let is_expired = |stored: &StoredSession| {
        let ended_ms = stored.mark.as_ref().map_or(u64::MAX, |mark| mark.at_unix_ms);
        ended_ms.saturating_add(u64::from(stored.row.expiry_s) * 1000) < now_ms
    };
    match stored {
        Some(stored) if is_expired(&stored) => {
            if let Some(key) = connection.key() {
                let end = SessionWrite::End(key, stored.row.generation);
                turn.shared.deps.session_log.write(end, None);
            }
            establish(connection, turn, None);
        }
        stored => establish(connection, turn, stored),
    }
}

fn establish(connection: &mut Connection, turn: &mut Turn<'_>, stored: Option<StoredSession>) {
    let Some(login) = connection.active().login.take() else { return };
    connection.phase = Phase::Live;
    connection.heard_s = (turn.shared.now_ms / 1000) as u32;
    let is_cut = login.keep_alive_asked_s == 0 || login.keep_alive_asked_s > KEEP_ALIVE_S_MAX;
    connection.keep_alive_s = if is_cut { KEEP_ALIVE_S_MAX } else { login.keep_alive_asked_s };
    connection.will = login.will.clone();
    if login.expiry_s > 0 {
        connection.kept = Some(Box::new(Kept { expiry_s: login.expiry_s, ..Kept::default() }));
    }
    let is_present = stored.is_some();
    connection.connack(&login, is_present, turn.shared.settings.packet_bytes_max);
    if let Some(stored) = stored {
        resume(connection, turn, stored);
    }
}

/// D4: entered in the directory, then the walk from the mark.
fn resume(connection: &mut Connection, turn: &mut Turn<'_>, stored: StoredSession) {
    for (filter, options) in &stored.row.subscriptions {
        subscribe::restore(connection, filter, *options);
    }
    // Under this generation from now on, and with the expiry of this CONNECT.
    super::mark::write_row(connection, turn);
    let Some(mark) = stored.mark else { return };
    if let Some(kept) = &mut connection.kept {
        kept.has_mark = true;
        kept.resend_floor = mark.resend_floor;
        kept.unreleased.clone_from(&mark.unreleased);
    }
    connection.register(turn);
    connection.active().delivery = Some(Delivery::resume(&mark));
}

/// CONNACK with a failure, then the end.
pub(crate) fn refuse(connection: &mut Connection, reason: ReasonCode) {
    connection.wire().connack_failure(reason);
    connection.phase = Phase::Closing;
}

impl Connection {
    /// The session's name, once it is known.
    pub(crate) fn key(&self) -> Option<SessionKey> {
        Some(SessionKey { user: self.user?, client_id: Arc::from(&*self.client_id) })
    }

    /// Enters the connection in the directory, once.
    pub(crate) fn register(&mut self, turn: &mut Turn<'_>) {
        if let Some(user) = self.user
            && !std::mem::replace(&mut self.is_registered, true)
        {
            turn.shared.deps.directory.register(user, turn.me);
        }
    }
}

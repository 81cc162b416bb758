//! CONNECT to CONNACK: who it is, which session, what is stored of it.
//!
//! check → (ask) → claim → (hand-over by the earlier connection) → what it left is durable → load → own rows are durable → CONNACK.
//! Packets that follow CONNECT wait.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use talaria_codec::{Connect, ReasonCode, Version};
use talaria_core::limits::{CLIENT_ID_BYTES_MAX, KEEP_ALIVE_S_MAX, SESSION_EXPIRY_S_MAX};
use talaria_port::StoreError;
use talaria_port::authenticate::{Checked, Credentials, Identity};
use talaria_port::directory::{Claim, Claimed};
use talaria_port::sessions::{Mark, SessionKey, SessionWrite, StoredSession};

use super::{disconnect, mark, subscribe, will::Will};
use crate::delivery::Delivery;
use crate::event_loop::mailbox::News;
use crate::session::resends::Resend;
use crate::session::{Connection, Kept, Phase, Turn};
use crate::sweep;

/// What CONNECT asked for, until CONNACK.
pub(crate) struct Login {
    pub(crate) is_clean: bool,
    pub(crate) expiry_s: u32,
    pub(crate) expiry_cut: bool,
    pub(crate) keep_alive_asked_s: u16,
    pub(crate) is_assigned: bool,
    pub(crate) will: Option<Box<Will>>,
    /// Whether the session was there before; `None` until it was looked for.
    pub(crate) is_present: Option<bool>,
}

pub(crate) fn on_connect(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Connect<'_>) {
    connection.version = packet.version;
    connection.phase = Phase::Connecting;
    let client_id = packet.client_id;
    let is_printable = !client_id.chars().any(char::is_control);
    if client_id.len() > CLIENT_ID_BYTES_MAX || !is_printable || client_id.is_empty() && !packet.clean_start {
        return refuse(connection, turn, ReasonCode::ClientIdentifierNotValid);
    }
    if packet.properties.authentication_method.is_some() {
        return refuse(connection, turn, ReasonCode::BadAuthenticationMethod);
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
        is_present: None,
    }));
    let (name, token) = (packet.username, packet.password.unwrap_or_default());
    if token.is_empty() || name.is_none() && packet.version == Version::V311 {
        return refuse(connection, turn, ReasonCode::BadUserNameOrPassword);
    }
    let credentials = Credentials { name: name.map(Into::into), token: token.into() };
    match turn.shared.deps.authenticate.check(&credentials) {
        Checked::Granted(identity) => claim(connection, turn, identity),
        Checked::Denied => refuse(connection, turn, ReasonCode::BadUserNameOrPassword),
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
        Ok(None) => refuse(connection, turn, ReasonCode::BadUserNameOrPassword),
        Err(error) => unavailable(connection, turn, &error),
    }
}

fn unavailable(connection: &mut Connection, turn: &mut Turn<'_>, error: &StoreError) {
    tracing::warn!(%error, "a client is refused");
    refuse(connection, turn, ReasonCode::ServerUnavailable);
}

fn claim(connection: &mut Connection, turn: &mut Turn<'_>, identity: Identity) {
    let generation = match turn.shared.deps.ids.draw() {
        Ok(generation) => generation,
        Err(error) => return unavailable(connection, turn, &error),
    };
    if connection.client_id.is_empty() {
        connection.client_id = format!("talaria-{generation}").into();
    }
    let claim = Claim { generation, address: turn.me };
    let claimed = turn.shared.deps.claims.claim(identity.user, &connection.client_id, claim);
    match claimed {
        Claimed::Lost => return refuse(connection, turn, ReasonCode::ServerBusy),
        Claimed::TooMany => return refuse(connection, turn, ReasonCode::QuotaExceeded),
        Claimed::Free | Claimed::From(_) => {}
    }
    // From here on the name is held, and is given back when the connection ends.
    connection.user = Some(identity.user);
    connection.generation = generation;
    connection.expires_s = identity.expires_unix_ms.and_then(|end_ms| {
        let left_ms = end_ms.saturating_sub(turn.shared.deps.clock.unix_ms());
        NonZeroU32::new(u32::try_from((turn.shared.now_ms + left_ms).div_ceil(1000)).unwrap_or(u32::MAX))
    });
    match claimed {
        Claimed::From(earlier) => turn.tell(earlier.address, News::TakenOver(turn.me)),
        _ => on_handed_over(connection, turn),
    }
}

/// Nobody else writes to the session any more. A write that changes nothing comes back behind all earlier ones, so that what
/// is loaded is what the earlier connection left.
pub(crate) fn on_handed_over(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(key) = connection.key() else { return };
    connection.resend = turn.shared.resends.take(key.user, &key.client_id).map(Box::new);
    let is_clean = connection.active().login.as_ref().is_some_and(|login| login.is_clean);
    let upto = if is_clean { connection.generation.saturating_sub(1) } else { 0 };
    let reply = turn.reply(crate::session::ticket::NUMBER_MAX);
    turn.shared.deps.session_log.write(SessionWrite::End(key, upto), Some(reply));
}

/// What was written last is durable: what earlier connections left, or this session's own first rows.
pub(crate) fn on_written(connection: &mut Connection, turn: &mut Turn<'_>, is_written: bool) {
    let (Some(key), Some(login)) = (connection.key(), connection.active().login.as_ref()) else { return };
    if !is_written {
        return refuse(connection, turn, ReasonCode::ServerUnavailable);
    }
    if login.is_present.is_some() {
        return acknowledge(connection, turn);
    }
    if login.is_clean {
        return take_session(connection, turn, None);
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
        Err(error) => return unavailable(connection, turn, &error),
    };
    let now_unix_ms = turn.shared.deps.clock.unix_ms();
    match stored {
        Some(stored) if sweep::has_expired(&stored, now_unix_ms, turn.shared.started_unix_ms) => {
            if let Some(key) = connection.key() {
                let end = SessionWrite::End(key, stored.row.generation);
                turn.shared.deps.session_log.write(end, None);
            }
            take_session(connection, turn, None);
        }
        stored => take_session(connection, turn, stored),
    }
}

/// Takes over what was found. Rows that outlive the connection are durable before CONNACK: under this generation from now on, with
/// the expiry of this CONNECT, and with a mark that says that the session is connected (D9).
fn take_session(connection: &mut Connection, turn: &mut Turn<'_>, stored: Option<StoredSession>) {
    let Some(login) = connection.active().login.as_mut() else { return };
    let (expiry_s, is_present) = (login.expiry_s, stored.is_some());
    login.is_present = Some(is_present);
    if expiry_s == 0 && !is_present {
        return acknowledge(connection, turn);
    }
    connection.kept = Some(Box::new(Kept { expiry_s, ..Kept::default() }));
    if let Some(stored) = &stored {
        for (filter, options) in &stored.row.subscriptions {
            subscribe::restore(connection, filter, *options);
        }
    }
    if let Some(mark) = stored.and_then(|stored| stored.mark) {
        restore_mark(connection, &mark);
    }
    mark::write_row(connection, turn, None);
    let reply = turn.reply(crate::session::ticket::NUMBER_MAX);
    mark::write(connection, turn, true, Some(reply));
}

fn restore_mark(connection: &mut Connection, mark: &Mark) {
    // A session whose broker crashed may have released them since: then only DUP tells a repeat (PROTOCOL "Never twice").
    if !mark.connected {
        connection.active().unreleased.clone_from(&mark.unreleased);
    }
    // What this process knows is more than what the mark says.
    connection.resend.get_or_insert_with(|| Box::new(Resend::of_mark(mark.resend_floor)));
    // Without a subscription nothing is owed; its next one begins anew.
    if !connection.own.is_empty() {
        connection.active().delivery = Some(Box::new(Delivery::resume(mark)));
    }
    connection.last_packet_id = mark.packet_id;
}

fn acknowledge(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(login) = connection.active().login.take() else { return };
    connection.phase = Phase::Live;
    connection.heard_s = (turn.shared.now_ms / 1000) as u32;
    // Only a 5.0 client hears of another one (section 3.2.2.3.14); in 3.1.1 what was asked for holds.
    let is_long = connection.version == Version::V5 && login.keep_alive_asked_s > KEEP_ALIVE_S_MAX;
    let is_cut = login.keep_alive_asked_s == 0 || is_long;
    connection.keep_alive_s = if is_cut { KEEP_ALIVE_S_MAX } else { login.keep_alive_asked_s };
    connection.will = login.will.clone();
    connection.connack(&login, login.is_present == Some(true), turn.shared.settings.packet_bytes_max);
    // D4: entered in the directory, then the walk from the mark.
    if !connection.own.is_empty() || connection.channels.is_some() {
        connection.register(turn);
    }
}

/// CONNACK with a failure, then the end.
pub(crate) fn refuse(connection: &mut Connection, turn: &mut Turn<'_>, reason: ReasonCode) {
    connection.wire().connack_failure(reason);
    disconnect::leave(connection, turn);
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

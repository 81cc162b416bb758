//! One connection and its session, sans-IO: told what came ([`Connection::on_bytes`], `on_completion`, `on_live`, `on_news`,
//! `on_tick`), it leaves bytes to write, submissions and letters. It knows no socket and no thread.
//!
//! Packets go to their file in [`crate::flow`]; what is kept while nothing moves is in [`Connection`] itself, the rest in
//! [`Active`], which is dropped when idle.

pub(crate) mod lookup;
mod outlet;
pub(crate) mod resends;
mod subscriptions;
pub(crate) mod ticket;
mod timers;
mod topic_name;
mod turn;

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;

use talaria_codec::{Direction, Frame, PacketType, Version, decode, frame};
use talaria_core::UserId;
use talaria_core::limits::{
    CONNECT_DEADLINE_S, INBOUND_IN_FLIGHT_BYTES_MAX, INBOUND_IN_FLIGHT_MAX, OUTBOUND_BUFFER_BYTES_MAX,
    PACKET_BYTES_MAX_BEFORE_LOGIN,
};

use crate::delivery::Delivery;
use crate::flow;
use crate::flow::Handled;
use crate::flow::connect::Login;
use crate::flow::publish::Publishing;
use crate::flow::will::Will;
use crate::transport::Transport;
use lookup::Lookups;
use resends::Resend;

pub(crate) use subscriptions::{ChannelFilters, OwnFilters, Spelling};
pub(crate) use turn::Turn;

/// Seconds in which an ending connection gets rid of what is unwritten, and its peer takes note. Beyond: closed.
const CLOSE_DEADLINE_S: u32 = 2;

/// Where a connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Waits for CONNECT.
    Fresh,
    /// CONNECT came; something is asked or waited for.
    Connecting,
    /// CONNACK was sent.
    Live,
    /// What is unwritten goes out, then it closes.
    Closing,
    /// Everything is written and said to be; what the peer still sends is read and dropped until it closes too, for a reset
    /// would take the last words away from it.
    Lingering,
    /// To be removed.
    Over,
}

/// What a persistent session keeps beyond its subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) expiry_s: u32,
    pub(crate) writes: u64,
    pub(crate) marked_ms: u64,
    pub(crate) is_mark_due: bool,
}

/// What a connection has while something moves.
#[derive(Default)]
pub(crate) struct Active {
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    /// Whether `out` begins inside a packet.
    pub(crate) is_torn: bool,
    /// Since when nothing could be written, monotonic ms.
    pub(crate) stuck_since_ms: Option<u64>,
    pub(crate) login: Option<Box<Login>>,
    pub(crate) publishing: VecDeque<Publishing>,
    /// Bytes of topics and payloads in `publishing`.
    pub(crate) publishing_bytes: usize,
    /// A publish waits to be submitted again: nothing that follows may overtake it.
    pub(crate) holds_publishes: bool,
    pub(crate) lookups: Option<Box<Lookups>>,
    /// Packet ids of QoS 2 publishes that were stored and not yet released.
    pub(crate) unreleased: Vec<u16>,
    pub(crate) delivery: Option<Box<Delivery>>,
    pub(crate) suback: Option<Vec<u8>>,
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) active: Option<Box<Active>>,
    pub(crate) kept: Option<Box<Kept>>,
    pub(crate) will: Option<Box<Will>>,
    pub(crate) channels: Option<Box<ChannelFilters>>,
    /// What counts as a resend.
    pub(crate) resend: Option<Box<Resend>>,
    pub(crate) client_id: Box<str>,
    /// As a filter spelled it, with `@`.
    pub(crate) handle: Option<Box<str>>,
    pub(crate) user: Option<UserId>,
    pub(crate) generation: u64,
    /// When the right to be connected ends, monotonic seconds.
    pub(crate) expires_s: Option<NonZeroU32>,
    /// When the client's last packet came, monotonic seconds; before CONNECT when it was accepted, while ending when that began.
    pub(crate) heard_s: u32,
    pub(crate) own: OwnFilters,
    pub(crate) packet_bytes_max_out: u32,
    pub(crate) last_number: u32,
    pub(crate) keep_alive_s: u16,
    pub(crate) receive_max: u16,
    pub(crate) last_packet_id: u16,
    pub(crate) version: Version,
    pub(crate) phase: Phase,
    pub(crate) wants_problem_info: bool,
    pub(crate) is_registered: bool,
    /// The client said or showed that it is done: nobody reads last words.
    pub(crate) is_peer_done: bool,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            active: None,
            kept: None,
            will: None,
            client_id: Box::default(),
            channels: None,
            resend: None,
            handle: None,
            user: None,
            generation: 0,
            expires_s: None,
            heard_s: (now_ms / 1000) as u32,
            own: OwnFilters::default(),
            packet_bytes_max_out: u32::MAX,
            last_number: 0,
            keep_alive_s: CONNECT_DEADLINE_S as u16,
            receive_max: u16::MAX,
            last_packet_id: 0,
            version: Version::V5,
            phase: Phase::Fresh,
            wants_problem_info: true,
            is_registered: false,
            is_peer_done: false,
        }
    }

    /// What it has while something moves; made on demand.
    pub(crate) fn active(&mut self) -> &mut Active {
        self.active.get_or_insert_default()
    }

    /// Whether nothing more is read now: back-pressure reaches the client through its transport.
    pub(crate) fn is_paused(&self) -> bool {
        match self.phase {
            Phase::Fresh | Phase::Lingering => false,
            Phase::Live => self.active.as_ref().is_some_and(|active| active.holds_packets()),
            Phase::Connecting | Phase::Closing | Phase::Over => true,
        }
    }

    /// Whether its end has begun.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Closing | Phase::Lingering | Phase::Over)
    }

    /// Whether it can be removed.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Bytes of the client. What is no whole packet yet is kept.
    pub(crate) fn on_bytes(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) {
        if self.is_ending() {
            return;
        }
        let kept = self.active.as_mut().map(|active| std::mem::take(&mut active.input)).unwrap_or_default();
        if kept.is_empty() {
            let used = self.take_packets(turn, bytes);
            self.keep_input(bytes.get(used..).unwrap_or_default().to_vec());
        } else {
            let mut input = kept;
            input.extend_from_slice(bytes);
            let used = self.take_packets(turn, &input);
            input.drain(..used.min(input.len()));
            self.keep_input(input);
        }
    }

    fn keep_input(&mut self, input: Vec<u8>) {
        if !input.is_empty() && !self.is_ending() {
            self.active().input = input;
        }
    }

    /// Handles whole packets; how many bytes they took.
    fn take_packets(&mut self, turn: &mut Turn<'_>, input: &[u8]) -> usize {
        let mut used = 0;
        while matches!(self.phase, Phase::Fresh | Phase::Live) && !self.is_paused() {
            let rest = input.get(used..).unwrap_or_default();
            if self.phase == Phase::Fresh && rest.first().is_some_and(|first| first >> 4 != PacketType::Connect as u8) {
                // MQTT-3.1.0-1: nothing is gathered of it, and there is no one to answer.
                self.phase = Phase::Over;
                return input.len();
            }
            let bytes_max = match self.phase {
                Phase::Fresh => PACKET_BYTES_MAX_BEFORE_LOGIN,
                _ => turn.shared.settings.packet_bytes_max,
            };
            let packet_bytes = match frame(rest, bytes_max) {
                Ok(Frame::Complete { packet_bytes }) => packet_bytes,
                Ok(Frame::NeedMore { .. }) => return used,
                Err(error) => {
                    self.on_malformed(turn, &error);
                    return input.len();
                }
            };
            if self.on_packet(turn, rest.get(..packet_bytes).unwrap_or_default()) == Handled::Wait {
                return used;
            }
            used += packet_bytes;
        }
        used
    }

    fn on_packet(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) -> Handled {
        if self.phase == Phase::Live {
            self.heard_s = (turn.shared.now_ms / 1000) as u32;
        }
        let handled = match decode(bytes, self.version, Direction::ToServer) {
            Ok(packet) => flow::on_packet(self, turn, &packet),
            Err(error) => {
                self.on_malformed(turn, &error);
                Handled::Done
            }
        };
        if handled == Handled::Done
            && let Some(active) = &mut self.active
        {
            active.lookups = None;
        }
        handled
    }

    fn on_malformed(&mut self, turn: &mut Turn<'_>, error: &talaria_codec::DecodeError) {
        tracing::debug!(%error, slot = turn.me.slot, "refused a packet");
        match (self.phase, error.connack()) {
            (Phase::Fresh, Some((version, reason))) => {
                self.version = version;
                flow::connect::refuse(self, turn, reason);
            }
            (Phase::Fresh, None) => self.phase = Phase::Over,
            _ => flow::disconnect::fail(self, turn, error.reason()),
        }
    }

    /// Takes up what was kept while it was paused, asks for what delivery wants, and drops what is idle.
    pub(crate) fn on_turn_end(&mut self, turn: &mut Turn<'_>) {
        if self.phase == Phase::Live && !self.is_paused() && self.active.as_ref().is_some_and(|a| !a.input.is_empty()) {
            self.on_bytes(turn, &[]);
        }
        if self.is_ending() {
            flow::disconnect::give_back(self, turn);
        }
        flow::catch_up::ask(self, turn);
    }

    /// Hands what is unwritten to the transport.
    pub(crate) fn write_to(&mut self, transport: &mut dyn Transport, now_ms: u64) -> io::Result<()> {
        if let Some(active) = &mut self.active
            && !active.out.is_empty()
        {
            let written = transport.write(&active.out)?;
            active.wrote(written, now_ms);
        }
        if self.phase == Phase::Closing && self.active.as_ref().is_none_or(|active| active.out.is_empty()) {
            if self.is_peer_done {
                self.phase = Phase::Over;
            } else {
                transport.end_output();
                self.phase = Phase::Lingering;
            }
        }
        self.drop_idle();
        Ok(())
    }

    fn drop_idle(&mut self) {
        let Some(active) = &mut self.active else { return };
        if active.delivery.as_ref().is_some_and(|delivery| delivery.is_idle())
            && let Some(delivery) = active.delivery.take()
        {
            self.last_packet_id = delivery.last_packet_id();
        }
        if active.is_idle() {
            self.active = None;
        }
    }

    /// Begins the end: what is unwritten still goes out.
    pub(crate) fn begin_closing(&mut self, now_ms: u64) {
        if !self.is_ending() {
            self.phase = Phase::Closing;
            self.heard_s = (now_ms / 1000) as u32;
            self.active().input = Vec::new();
        }
    }

    /// Ends it as it stands, after a panic in its own code; its name is given back with the turn's end.
    pub(crate) fn abandon(&mut self) {
        self.active = None;
        self.phase = Phase::Over;
    }
}

impl Active {
    /// Whether packets of the client wait: for a durable subscription, behind a publish that is held, because as many as may be are
    /// unanswered, or because it does not read what it is answered.
    fn holds_packets(&self) -> bool {
        self.suback.is_some() || self.awaits_answers() || self.out.len() > OUTBOUND_BUFFER_BYTES_MAX
    }

    /// Whether packets wait for the pipeline or a lookup; both end, or end the connection, within their deadline.
    fn awaits_answers(&self) -> bool {
        self.holds_publishes
            || self.lookups.as_ref().is_some_and(|lookups| lookups.is_waiting())
            || self.publishing.len() >= usize::from(INBOUND_IN_FLIGHT_MAX)
            || self.publishing_bytes >= INBOUND_IN_FLIGHT_BYTES_MAX
    }

    fn is_idle(&self) -> bool {
        self.input.is_empty()
            && self.out.is_empty()
            && self.login.is_none()
            && self.publishing.is_empty()
            && self.unreleased.is_empty()
            && self.delivery.is_none()
            && self.suback.is_none()
            && self.lookups.is_none()
    }

    fn wrote(&mut self, bytes: usize, now_ms: u64) {
        self.is_torn |= bytes > 0;
        self.out.drain(..bytes);
        if self.out.is_empty() {
            (self.is_torn, self.stuck_since_ms) = (false, None);
        } else if bytes > 0 || self.stuck_since_ms.is_none() {
            self.stuck_since_ms = Some(now_ms);
        }
    }
}

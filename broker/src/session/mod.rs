//! One connection and its session, sans-IO: told what came ([`Connection::on_bytes`], `on_completion`, `on_live`, `on_news`,
//! `on_tick`), it leaves bytes to write, submissions and letters. It knows no socket and no thread.
//!
//! Packets go to their file in [`crate::flow`]; what is kept while nothing moves is in [`Connection`] itself, the rest in
//! [`Active`], which is dropped when idle.

mod outlet;
mod subscriptions;
pub(crate) mod ticket;
mod timers;
mod turn;

use std::collections::VecDeque;
use std::io;

use talaria_codec::{Direction, Frame, ReasonCode, Version, decode, frame};
use talaria_core::limits::{CONNECT_DEADLINE_S, PACKET_BYTES_MAX_BEFORE_LOGIN};
use talaria_core::{EventId, UserId};

use crate::delivery::Delivery;
use crate::flow;
use crate::flow::connect::Login;
use crate::flow::publish::Publishing;
use crate::flow::will::Will;

pub(crate) use subscriptions::{OwnFilters, Spelling};
pub(crate) use turn::Turn;

/// Takes bytes as far as there is room.
pub(crate) trait Sink {
    /// How many were taken; an error means that the peer is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

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
    pub(crate) has_mark: bool,
    pub(crate) resend_floor: EventId,
    pub(crate) unreleased: Vec<u16>,
}

/// What a connection has while something moves.
#[derive(Default)]
pub(crate) struct Active {
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    /// Since when nothing could be written, monotonic ms.
    pub(crate) stuck_since_ms: Option<u64>,
    pub(crate) login: Option<Box<Login>>,
    pub(crate) publishing: VecDeque<Publishing>,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) suback: Option<Vec<u8>>,
    pub(crate) waiter: Option<talaria_port::deliver::Address>,
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) active: Option<Box<Active>>,
    pub(crate) kept: Option<Box<Kept>>,
    pub(crate) will: Option<Box<Will>>,
    pub(crate) client_id: Box<str>,
    /// As a filter spelled it, with `@`.
    pub(crate) handle: Option<Box<str>>,
    pub(crate) user: Option<UserId>,
    pub(crate) generation: u64,
    pub(crate) expires_unix_ms: Option<u64>,
    /// When the client's last packet came, monotonic seconds; before CONNECT when it was accepted.
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
    pub(crate) is_paused: bool,
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            active: None,
            kept: None,
            will: None,
            client_id: Box::default(),
            handle: None,
            user: None,
            generation: 0,
            expires_unix_ms: None,
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
            is_paused: false,
        }
    }

    /// What it has while something moves; made on demand.
    pub(crate) fn active(&mut self) -> &mut Active {
        self.active.get_or_insert_default()
    }

    /// Whether no more packets may be taken now.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused || !matches!(self.phase, Phase::Fresh | Phase::Live)
    }

    /// Whether it can be removed.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
            || self.phase == Phase::Closing && self.active.as_ref().is_none_or(|active| active.out.is_empty())
    }

    /// Bytes of the client. What is no whole packet yet is kept.
    pub(crate) fn on_bytes(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) {
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
        if !input.is_empty() && !matches!(self.phase, Phase::Closing | Phase::Over) {
            self.active().input = input;
        }
    }

    /// Handles whole packets; how many bytes they took.
    fn take_packets(&mut self, turn: &mut Turn<'_>, input: &[u8]) -> usize {
        let mut used = 0;
        while !self.is_paused() {
            let rest = input.get(used..).unwrap_or_default();
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
            used += packet_bytes;
            self.on_packet(turn, rest.get(..packet_bytes).unwrap_or_default());
        }
        used
    }

    fn on_packet(&mut self, turn: &mut Turn<'_>, bytes: &[u8]) {
        if self.phase == Phase::Live {
            self.heard_s = (turn.shared.now_ms / 1000) as u32;
        }
        match decode(bytes, self.version, Direction::ToServer) {
            Ok(packet) => flow::on_packet(self, turn, &packet),
            Err(error) => self.on_malformed(turn, &error),
        }
    }

    fn on_malformed(&mut self, turn: &mut Turn<'_>, error: &talaria_codec::DecodeError) {
        tracing::debug!(%error, slot = turn.me.slot, "refused a packet");
        match (self.phase, error.connack()) {
            (Phase::Fresh, Some((version, reason))) => {
                self.version = version;
                flow::connect::refuse(self, reason);
            }
            (Phase::Fresh, None) => self.phase = Phase::Over,
            _ => flow::disconnect::fail(self, turn, error.reason()),
        }
    }

    /// Takes up what was kept while it was paused, asks for what delivery wants, and drops what is idle.
    pub(crate) fn on_turn_end(&mut self, turn: &mut Turn<'_>) {
        if !self.is_paused() && self.active.as_ref().is_some_and(|active| !active.input.is_empty()) {
            self.on_bytes(turn, &[]);
        }
        if matches!(self.phase, Phase::Closing | Phase::Over) {
            flow::disconnect::give_back(self, turn);
        }
        flow::catch_up::ask(self, turn);
    }

    /// Hands what is unwritten to the sink.
    pub(crate) fn write_to(&mut self, sink: &mut dyn Sink, now_ms: u64) -> io::Result<()> {
        let Some(active) = &mut self.active else { return Ok(()) };
        if !active.out.is_empty() {
            let written = sink.write(&active.out)?;
            active.out.drain(..written);
            active.stuck_since_ms = match (active.out.is_empty(), written) {
                (true, _) => None,
                (false, 0) => active.stuck_since_ms.or(Some(now_ms)),
                (false, _) => Some(now_ms),
            };
        }
        self.drop_idle();
        Ok(())
    }

    fn drop_idle(&mut self) {
        let Some(active) = &mut self.active else { return };
        if active.delivery.as_ref().is_some_and(Delivery::is_idle)
            && let Some(delivery) = active.delivery.take()
        {
            self.last_packet_id = delivery.last_packet_id();
        }
        let is_idle = active.input.is_empty()
            && active.out.is_empty()
            && active.login.is_none()
            && active.publishing.is_empty()
            && active.delivery.is_none()
            && active.suback.is_none()
            && active.waiter.is_none();
        if is_idle {
            self.active = None;
        }
    }

    /// Ends without a word more than what is unwritten.
    pub(crate) fn close(&mut self, reason: ReasonCode) {
        if !matches!(self.phase, Phase::Closing | Phase::Over) {
            flow::disconnect::say(self, reason);
            self.phase = Phase::Closing;
        }
    }
}

//! What comes from the pipeline, from tasks and from the wheel.

use std::num::NonZeroU32;
use std::sync::Arc;

use talaria_codec::ReasonCode;
use talaria_core::limits::{MARK_INTERVAL_S, WRITE_DEADLINE_S};
use talaria_port::deliver::{Hint, Outgoing};
use talaria_port::ingest::Outcome;

use super::{CLOSE_DEADLINE_S, Connection, Phase, Turn, lookup, ticket};
use crate::event_loop::mailbox::News;
use crate::flow;

impl Connection {
    /// When to look at it again, monotonic seconds.
    pub(crate) fn due_s(&self) -> u64 {
        let silent_s = u64::from(self.heard_s) + self.silence_s_max();
        let is_mark_due = self.kept.as_ref().is_some_and(|kept| kept.is_mark_due);
        if self.active.is_some() || is_mark_due {
            // Deadlines and marks have the wheel's grain of a second; the past means the next one.
            return 0;
        }
        self.expires_s.map_or(silent_s, |expires_s| silent_s.min(u64::from(expires_s.get())))
    }

    /// 1.5 times the keep-alive (MQTT-3.1.2-22); the CONNECT deadline before, and that of closing after.
    fn silence_s_max(&self) -> u64 {
        let keep_alive_s = u64::from(self.keep_alive_s);
        match self.phase {
            Phase::Live => keep_alive_s + keep_alive_s.div_ceil(2),
            Phase::Fresh | Phase::Connecting => keep_alive_s,
            Phase::Closing | Phase::Lingering | Phase::Over => u64::from(CLOSE_DEADLINE_S),
        }
    }

    /// The wheel came round.
    pub(crate) fn on_tick(&mut self, turn: &mut Turn<'_>) {
        let (now_ms, now_s) = (turn.shared.now_ms, turn.shared.now_ms / 1000);
        if self.phase == Phase::Live && self.active.as_ref().is_some_and(|active| active.awaits_answers()) {
            // It is we who do not listen, and that has a deadline of its own.
            self.heard_s = now_s as u32;
        }
        if now_s >= u64::from(self.heard_s) + self.silence_s_max() {
            if self.is_ending() {
                self.phase = Phase::Over;
                return;
            }
            return flow::disconnect::fail(self, turn, ReasonCode::KeepAliveTimeout);
        }
        if self.phase != Phase::Live {
            return;
        }
        if self.expires_s.map(NonZeroU32::get).is_some_and(|end_s| now_s >= u64::from(end_s)) {
            return flow::disconnect::fail(self, turn, ReasonCode::MaximumConnectTime);
        }
        if flow::publish::deadline_ms(self).is_some_and(|deadline| now_ms >= deadline) {
            return flow::disconnect::fail(self, turn, ReasonCode::ServerBusy);
        }
        let lookups = self.active.as_mut().and_then(|active| active.lookups.as_mut());
        if lookups.is_some_and(|lookups| now_ms >= lookups.on_second()) {
            return flow::disconnect::fail(self, turn, ReasonCode::ServerBusy);
        }
        let stuck = self.active.as_ref().and_then(|active| active.stuck_since_ms);
        if stuck.is_some_and(|since| now_ms >= since + u64::from(WRITE_DEADLINE_S) * 1000) {
            return self.on_end(turn);
        }
        flow::publish::submit_again(self, turn);
        if let Some(kept) = &self.kept
            && kept.is_mark_due
            && now_ms >= kept.marked_ms + u64::from(MARK_INTERVAL_S) * 1000
        {
            flow::mark::write(self, turn, true, None);
        }
        if let Some(delivery) = self.active.as_mut().and_then(|active| active.delivery.as_mut()) {
            delivery.on_settled(&turn.moment());
            if delivery.wants_retry() {
                delivery.on_retry();
            }
        }
    }

    /// The peer is gone.
    pub(crate) fn on_end(&mut self, turn: &mut Turn<'_>) {
        self.is_peer_done = true;
        flow::disconnect::leave(self, turn);
        self.phase = Phase::Over;
    }

    /// The server ends. Wills stay unpublished: nobody was lost (section 3.1.2.5 allows it).
    pub(crate) fn on_drain(&mut self, turn: &mut Turn<'_>) {
        self.will = None;
        flow::disconnect::fail(self, turn, ReasonCode::ServerShuttingDown);
    }

    /// An answer of the pipeline or of the session log.
    pub(crate) fn on_completion(&mut self, turn: &mut Turn<'_>, number: u32, outcome: Outcome) {
        let is_written = outcome == Outcome::Done;
        match (number == ticket::NUMBER_MAX, self.phase) {
            (true, Phase::Connecting) => flow::connect::on_written(self, turn, is_written),
            (true, Phase::Live) => flow::subscribe::on_written(self, turn, is_written),
            (false, Phase::Live) => flow::publish::on_outcome(self, turn, number, outcome),
            _ => {}
        }
    }

    /// A live event.
    pub(crate) fn on_live(&mut self, turn: &mut Turn<'_>, event: &Arc<Outgoing>) {
        flow::deliver::on_live(self, turn, event);
    }

    /// A live hint.
    pub(crate) fn on_hint(&mut self, hint: &Hint) {
        flow::deliver::on_hint(self, hint);
    }

    /// News of a task or of another connection.
    pub(crate) fn on_news(&mut self, turn: &mut Turn<'_>, news: News) {
        let moment = turn.moment();
        match (news, self.phase) {
            (News::Authenticated(answer), Phase::Connecting) => flow::connect::on_authenticated(self, turn, answer),
            (News::Loaded(answer), Phase::Connecting) => flow::connect::on_loaded(self, turn, answer),
            (News::HandedOver, Phase::Connecting) => flow::connect::on_handed_over(self, turn),
            (News::TakenOver(by), _) => self.on_taken_over(turn, by),
            (News::Revoked, _) => self.on_revoked(turn),
            (News::Answered(question, answer), Phase::Live) => lookup::on_answered(self, question, answer),
            (News::Moves(number, moves), Phase::Live) => {
                self.with_delivery(false, |delivery, _| delivery.on_moves(number, moves, &moment));
            }
            (News::Page(number, page), Phase::Live) => {
                self.with_delivery(false, |delivery, outlet| delivery.on_page(number, page, &moment, outlet));
            }
            _ => {}
        }
    }

    /// Nothing is published any more under a right that ended, its will neither (INV-5).
    fn on_revoked(&mut self, turn: &mut Turn<'_>) {
        self.will = None;
        flow::disconnect::fail(self, turn, ReasonCode::NotAuthorized);
    }

    /// A later connection of the same name waits until this one has left.
    fn on_taken_over(&mut self, turn: &mut Turn<'_>, by: talaria_port::deliver::Address) {
        flow::disconnect::fail(self, turn, ReasonCode::SessionTakenOver);
        turn.tell(by, News::HandedOver);
    }
}

//! A sending session, as stock clients are: a window of publishes in flight, all of them sent again with DUP and in their first order
//! on each new connection, before anything new.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use serde_json::json;
use talaria_codec::{Publish, PublishProperties, QoS, Version};
use talaria_tests::PATIENCE;

use crate::connection::{Connection, End, Incoming, Login};
use crate::history::{self, Outcome, Sent};
use crate::seed::Random;
use crate::stage::{Phase, Stage};

const TURN: Duration = Duration::from_millis(20);
/// Every so many messages one is long, so that a kill falls into the middle of a write.
const LONG_ONCE_IN: u64 = 40;
const LONG_BYTES: u64 = 30_000;

/// How a session sends.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// Topics and the conversations that they mean.
    pub(crate) targets: Vec<(String, String)>,
    pub(crate) qos: Vec<QoS>,
    /// Of ten messages so many have a key.
    pub(crate) keyed_of_ten: u64,
    /// Publishes without an acknowledgement.
    pub(crate) window: usize,
    /// Packet ids go round at this one.
    pub(crate) packet_id_max: u16,
    /// What was sent before is marked when it is sent again (MQTT-3.3.1-1), as it must be.
    pub(crate) sets_dup: bool,
    /// How long it waits for an answer before it tries a new connection.
    pub(crate) patience: Duration,
    /// Once in so many turns it loses its connection, with whatever is under way in both directions.
    pub(crate) cut_once_in: Option<u64>,
}

pub(crate) struct Sender {
    login: Login,
    habits: Habits,
    random: Random,
    log: history::Sender,
    /// Without the last acknowledgement, in the order they were first sent.
    pending: VecDeque<Pending>,
    last_packet_id: u16,
    was_connected: bool,
    /// On whichever connection.
    answered_at: Instant,
}

struct Pending {
    packet_id: NonZeroU16,
    qos: QoS,
    topic: String,
    payload: Vec<u8>,
    /// In the log.
    number: usize,
    /// PUBREC came: what is sent again is PUBREL.
    is_received: bool,
}

impl Sender {
    pub(crate) fn new(login: Login, habits: Habits, random: Random) -> Self {
        let name = format!("{} {}", login.person.handle, login.client_id);
        Self::named(name, login, habits, random)
    }

    /// The name is in every text and key: no two senders of a run have the same.
    pub(crate) fn named(name: String, login: Login, habits: Habits, random: Random) -> Self {
        let log = history::Sender { name, user: login.person.id.clone(), sent: Vec::new() };
        let answered_at = Instant::now();
        Self {
            login,
            habits,
            random,
            log,
            pending: VecDeque::new(),
            last_packet_id: 0,
            was_connected: false,
            answered_at,
        }
    }

    /// Sends until the load is over and everything is acknowledged, through as many connections as it takes.
    pub(crate) fn run(mut self, stage: &Stage) -> history::Sender {
        while let Some(mut connection) = stage.connect(&self.login) {
            if self.login.is_kept && self.was_connected {
                assert!(connection.session_present, "{}: the session is gone", self.log.name);
            }
            self.was_connected = true;
            if self.serve(&mut connection, stage).is_ok() {
                connection.close();
                break;
            }
        }
        self.log
    }

    /// Until all is done, or the connection ends.
    fn serve(&mut self, connection: &mut Connection, stage: &Stage) -> Result<(), End> {
        self.send_again(connection)?;
        let mut answered_at = Instant::now();
        loop {
            assert!(self.answered_at.elapsed() < PATIENCE, "{}: no answer in time", self.log.name);
            match stage.phase() {
                Phase::Load => self.send_new(connection)?,
                Phase::Over => return Ok(()),
                _ if self.pending.is_empty() => return Ok(()),
                _ => {}
            }
            match connection.next(TURN)? {
                Some(Incoming::Disconnect) => return Err(End::Gone),
                Some(incoming) => {
                    answered_at = Instant::now();
                    self.answered_at = answered_at;
                    self.on_answer(connection, stage, &incoming)?;
                }
                None if answered_at.elapsed() < self.habits.patience => {}
                None => return Err(End::Gone),
            }
            if self.habits.cut_once_in.is_some_and(|of| self.random.once_in(of)) {
                return Err(End::Gone);
            }
        }
    }

    fn send_again(&mut self, connection: &mut Connection) -> Result<(), End> {
        for pending in &self.pending {
            if pending.is_received {
                connection.put_pubrel(pending.packet_id);
            } else {
                connection.put_publish(&pending.publish(self.habits.sets_dup));
            }
        }
        connection.flush()
    }

    fn send_new(&mut self, connection: &mut Connection) -> Result<(), End> {
        while self.pending.len() < self.habits.window {
            let pending = self.next_message();
            connection.put_publish(&pending.publish(false));
            // From here on it counts as sent, also where the socket does not take it.
            self.pending.push_back(pending);
        }
        connection.flush()
    }

    fn next_message(&mut self) -> Pending {
        let random = &mut self.random;
        let (topic, conversation) = &self.habits.targets[random.below(self.habits.targets.len() as u64) as usize];
        let qos = self.habits.qos[random.below(self.habits.qos.len() as u64) as usize];
        let is_long = random.once_in(LONG_ONCE_IN);
        let padding = "x".repeat(if is_long { random.below(LONG_BYTES) as usize } else { 0 });
        let text = format!("{} {}{padding}", self.log.name, self.log.sent.len());
        let key =
            (random.below(10) < self.habits.keyed_of_ten).then(|| format!("{} {}", self.log.name, self.log.sent.len()));
        let payload = match &key {
            Some(key) => json!({"key": key, "text": text}).to_string(),
            None => text.clone(),
        };
        let topic = topic.clone();
        self.log.sent.push(Sent { conversation: conversation.clone(), text, key, outcome: Outcome::Open });
        let number = self.log.sent.len() - 1;
        Pending { packet_id: self.free_packet_id(), qos, topic, payload: payload.into(), number, is_received: false }
    }

    fn free_packet_id(&mut self) -> NonZeroU16 {
        loop {
            self.last_packet_id = self.last_packet_id % self.habits.packet_id_max + 1;
            let packet_id = NonZeroU16::new(self.last_packet_id).unwrap();
            if self.pending.iter().all(|pending| pending.packet_id != packet_id) {
                return packet_id;
            }
        }
    }

    fn on_answer(&mut self, connection: &mut Connection, stage: &Stage, incoming: &Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Acknowledged { packet_id, reason, is_pubrec, place } => {
                let outcome = if reason.is_failure() {
                    Outcome::Refused(format!("{reason:?}"))
                } else {
                    Outcome::Acknowledged(*place)
                };
                self.on_acknowledged(*packet_id, *is_pubrec, outcome, stage);
                if *is_pubrec && !reason.is_failure() {
                    connection.put_pubrel(*packet_id);
                    connection.flush()?;
                }
            }
            Incoming::PubComp(packet_id) => {
                let at = self.pending.iter().position(|pending| pending.packet_id == *packet_id && pending.is_received);
                let at = at.unwrap_or_else(|| panic!("{}: PUBCOMP of {packet_id}", self.log.name));
                self.pending.remove(at);
            }
            other => panic!("{}: {other:?}", self.log.name),
        }
        Ok(())
    }

    /// Acknowledgements come in the order of the publishes (MQTT-4.6.0-2 and -3).
    fn on_acknowledged(&mut self, packet_id: NonZeroU16, is_pubrec: bool, outcome: Outcome, stage: &Stage) {
        let qos = if is_pubrec { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
        let at = self.pending.iter().position(|pending| pending.qos == qos && !pending.is_received);
        let at = at.filter(|at| self.pending[*at].packet_id == packet_id);
        let at = at.unwrap_or_else(|| panic!("{}: {packet_id} was acknowledged out of turn", self.log.name));
        let is_over = !is_pubrec || matches!(outcome, Outcome::Refused(_));
        // The PUBREC of one that was received before knows no more than that.
        let must_say_where = self.login.version == Version::V5 && !is_pubrec;
        assert!(!must_say_where || outcome != Outcome::Acknowledged(None), "{}: no id and seq", self.log.name);
        self.log.sent[self.pending[at].number].outcome = outcome;
        if is_over {
            self.pending.remove(at);
        } else {
            self.pending[at].is_received = true;
        }
        stage.add_acknowledged();
    }
}

impl Pending {
    fn publish(&self, dup: bool) -> Publish<'_> {
        Publish {
            dup,
            qos: self.qos,
            retain: false,
            topic: &self.topic,
            packet_id: Some(self.packet_id),
            properties: PublishProperties::default(),
            payload: &self.payload,
        }
    }
}

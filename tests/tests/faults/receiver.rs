//! A receiving session on its user's inbox: it notes what it is shown, then acknowledges it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use talaria_tests::{PATIENCE, Server};

use crate::connection::{Connection, End, Incoming, Login};
use crate::history::{self, Event};
use crate::seed::Random;
use crate::stage::{Phase, Stage};

pub(crate) const INBOX: &str = "user/me/inbox";

const TURN: Duration = Duration::from_millis(20);

/// How a session receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Always there.
    Steady,
    /// Takes its time with each event.
    Slow,
    /// Comes and goes, in every way; sometimes away for a whole round.
    Roaming,
    /// Subscribed once, before the first message; returns when all is over.
    Away,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    login: Login,
    habit: Habit,
    random: Random,
    log: history::Receiver,
    /// The highest seq shown of each conversation.
    shown: BTreeMap<String, u64>,
}

/// How a visit ended.
enum Leave {
    /// Everything was shown, or there is nothing more to wait for.
    Done,
    /// The connection ended.
    Cut,
    /// By itself.
    Gone,
}

impl Receiver {
    /// Subscribes and leaves, so that from here on it is owed what its conversations get.
    pub(crate) fn subscribed(stage: &Stage, login: Login, habit: Habit, random: Random) -> Self {
        let name = format!("{} {}", login.person.handle, login.client_id);
        let log =
            history::Receiver { name, is_kept: login.is_kept, owed_after: BTreeMap::new(), connections: Vec::new() };
        let receiver = Self { login, habit, random, log, shown: BTreeMap::new() };
        if receiver.login.is_kept {
            let mut connection = stage.connect(&receiver.login).unwrap();
            assert!(!connection.session_present);
            let subscribed = connection.subscribe(INBOX, |incoming| panic!("before SUBACK: {incoming:?}"));
            assert_eq!(subscribed, Ok(()));
            connection.close();
        }
        receiver
    }

    /// What was there when it subscribed.
    #[must_use]
    pub(crate) fn owed_after(mut self, heads: BTreeMap<String, u64>) -> Self {
        self.log.owed_after = heads.clone();
        self.shown = heads;
        self
    }

    /// Receives until it was shown every head, through as many connections as it takes.
    pub(crate) fn run(mut self, stage: &Stage) -> history::Receiver {
        self.receive(stage);
        self.log
    }

    /// The same for one of several times; the session stays.
    pub(crate) fn receive(&mut self, stage: &Stage) {
        loop {
            if self.habit == Habit::Away {
                stage.wait_for_heads();
            } else if self.habit == Habit::Roaming && self.random.once_in(3) {
                stage.wait_for_end_of(stage.round());
            }
            let Some(mut connection) = stage.connect(&self.login) else { return };
            self.log.connections.push(Vec::new());
            match self.visit(&mut connection, stage) {
                Ok(Leave::Done) => return connection.close(),
                // A socket that just closes, with what was not read or answered.
                Ok(Leave::Gone) if self.random.once_in(2) => drop(connection),
                Ok(Leave::Gone) => connection.close(),
                Ok(Leave::Cut) | Err(_) => {}
            }
        }
    }

    pub(crate) fn is_owed(&self, conversation: &str) -> bool {
        self.log.owed_after.contains_key(conversation)
    }

    /// Returns to a server that cannot read all of what it is owed, until the log says so.
    pub(crate) fn wait_in_vain(&self, server: &Server) {
        let mut connection = Connection::open(server.mqtt(), &self.login).unwrap_or_else(|end| panic!("{end:?}"));
        let until = Instant::now() + PATIENCE;
        while !server.log().lines().iter().any(|line| line.contains("cannot be caught up")) {
            assert!(Instant::now() < until, "it waits, and nobody says what for");
            connection.next(TURN).unwrap();
        }
    }

    fn visit(&mut self, connection: &mut Connection, stage: &Stage) -> Result<Leave, End> {
        if self.login.is_kept {
            assert!(connection.session_present, "{}: the session is gone", self.log.name);
        } else {
            let mut early = Vec::new();
            connection.subscribe(INBOX, |incoming| early.push(incoming))?;
            for incoming in early {
                let packet_id = self.note(incoming);
                connection.put_puback(packet_id);
            }
        }
        let mut stay = if self.habit == Habit::Roaming { 1 + self.random.below(200) } else { u64::MAX };
        let mut shown_at = Instant::now();
        loop {
            let phase = stage.phase();
            match &phase {
                Phase::Heads(heads) if self.is_done(heads) => return Ok(Leave::Done),
                // The checker tells what is missing.
                Phase::Heads(_) if shown_at.elapsed() > PATIENCE => return Ok(Leave::Done),
                Phase::Over => return Ok(Leave::Done),
                Phase::Load | Phase::Last | Phase::Heads(_) => {}
            }
            let event = match connection.next(TURN)? {
                Some(Incoming::Disconnect) => return Ok(Leave::Cut),
                Some(incoming) => self.note(incoming),
                None => continue,
            };
            shown_at = Instant::now();
            let may_leave = self.habit == Habit::Roaming && phase == Phase::Load;
            if may_leave && self.random.once_in(50) {
                // Never answered, but what follows is; it comes again on the next connection.
                stay = stay.min(4);
            } else {
                connection.put_puback(event);
                connection.flush()?;
            }
            stay -= 1;
            if may_leave && stay == 0 {
                return Ok(Leave::Gone);
            }
            stay = stay.max(1);
        }
    }

    /// Notes an event; its packet id is to be acknowledged.
    fn note(&mut self, incoming: Incoming) -> NonZeroU16 {
        let Incoming::Publish { topic, packet_id, payload } = incoming else {
            panic!("{}: {incoming:?}", self.log.name)
        };
        assert_eq!(topic, INBOX);
        let event = Event::of(&serde_json::from_slice(&payload).unwrap());
        let shown = self.shown.entry(event.conversation.clone()).or_insert(0);
        *shown = event.seq.max(*shown);
        self.log.connections.last_mut().unwrap().push(event);
        if self.habit == Habit::Slow {
            std::thread::sleep(Duration::from_micros(self.random.below(2000)));
        }
        packet_id.expect("the inbox is granted at QoS 1")
    }

    fn is_done(&self, heads: &BTreeMap<String, u64>) -> bool {
        let is_shown = |(conversation, head): (&String, &u64)| self.shown.get(conversation).is_some_and(|s| s >= head);
        !self.log.is_kept || heads.iter().filter(|(c, _)| self.log.owed_after.contains_key(*c)).all(is_shown)
    }
}

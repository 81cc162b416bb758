//! A wall clock that steps back an hour and forward a year, between runs and under a running server: ids neither repeat nor go back
//! nor run away (INV-8), and nothing is lost over it.
//!
//! `libfaketime` stands between the program and the kernel's wall clock; what else the program measures time by stays true.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use talaria_codec::{QoS, Version};
use talaria_core::EventId;
use talaria_tests::{Home, Person, Server};

use crate::checker::check;
use crate::history::{self, Event, History};
use crate::load::{Conversation, Load, address, dm, habits, login};
use crate::receiver::{Habit, Receiver};
use crate::seed::{Random, seed};
use crate::sender::Sender;
use crate::stage::{Phase, Stage};

const HOUR_S: i64 = 60 * 60;
const YEAR_S: i64 = 365 * 24 * HOUR_S;
/// How far the clock is off, run by run: forth and back, and back from where it never was.
const STEPS_S: [i64; 7] = [0, -HOUR_S, 0, YEAR_S, 0, -HOUR_S, YEAR_S];
const ACKNOWLEDGED: u64 = 60;

/// Ids are reserved half a lease ahead of own time, and a run begins above what the one before reserved.
const RESERVED_MS: u64 = 5_000;
/// Where the clock stays behind, a run reserves no more than this beyond its last id.
const RESERVED_BEHIND_MS: u64 = 1_000;

/// The program on a clock that is off by so much.
fn off_by(home: Home, seconds: i64) -> Home {
    home.with("FAKETIME", &format!("{seconds:+}"))
}

/// With `libfaketime` in the program; the clock is still to be set.
fn on_another_clock(home: Home) -> Home {
    let output = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let output = output.expect("the program faketime, of Debian's package faketime");
    assert!(output.status.success());
    let library = String::from_utf8(output.stdout).unwrap();
    home.with("LD_PRELOAD", library.trim()).with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

/// What a clock shows that is off by so much.
fn unix_ms(off_s: i64) -> u64 {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    (now_ms + off_s * 1_000) as u64
}

/// Everything has an id of its own, and none lies further ahead than it may.
fn assert_ids<'a>(events: impl IntoIterator<Item = &'a Event>, latest_ms: u64) {
    let mut ids = HashSet::new();
    for event in events {
        assert!(ids.insert(event.id), "{event:?} has the id of another");
        let ahead_ms = EventId(event.id).unix_ms().saturating_sub(latest_ms);
        assert_eq!(ahead_ms, 0, "{event:?} lies {ahead_ms} ms beyond what any clock has shown and may be reserved");
    }
}

/// The clock was really what it was set to: new events are no older.
fn assert_reached<'a>(events: impl IntoIterator<Item = &'a Event>, own_ms: u64) {
    let newest = events.into_iter().map(|event| EventId(event.id)).max().unwrap();
    assert!(
        newest.unix_ms() >= own_ms,
        "the newest id is of {} ms, the clock showed {own_ms} before",
        newest.unix_ms()
    );
}

/// Two people, through all runs.
struct Talk {
    kim: Person,
    lee: Person,
    conversations: Vec<Conversation>,
    senders: Vec<history::Sender>,
    seed: u64,
}

impl Talk {
    fn new(server: &Server, seed: u64) -> Self {
        let [kim, lee] = server.people(["@kim", "@lee"]);
        let channel = format!("channel/{}", server.channel(&kim, &[&lee]));
        let conversations =
            [dm(&kim, &lee), channel].map(|name| Conversation { name, members: vec![kim.clone(), lee.clone()] }).into();
        Self { kim, lee, conversations, senders: Vec::new(), seed }
    }

    fn receiver(&self, server: &Server, client_id: &str) -> Receiver {
        let login = login(&self.lee, client_id, Version::V5);
        let random = Random::of_part(self.seed, 100);
        let receiver = Receiver::subscribed(&Stage::new(server.mqtt()), login, Habit::Steady, random);
        receiver
            .owed_after(self.stored(server).iter().map(|(name, events)| (name.clone(), events.len() as u64)).collect())
    }

    fn stored(&self, server: &Server) -> BTreeMap<String, Vec<Event>> {
        self.conversations.iter().map(|conversation| (conversation.name.clone(), conversation.read(server))).collect()
    }

    /// Kim says something in both conversations, in a new session, until all of it is acknowledged.
    fn say(&mut self, server: &Server) {
        let [dm, channel] = &self.conversations[..] else { panic!("two conversations") };
        let targets = vec![
            (format!("user/{}/message", self.lee.id), dm.name.clone()),
            (format!("{}/message", channel.name), channel.name.clone()),
        ];
        let run = self.senders.len() as u64;
        let login =
            login(&self.kim, &format!("run-{run}"), if run.is_multiple_of(2) { Version::V311 } else { Version::V5 });
        let habits = habits(targets, &[QoS::AtLeastOnce, QoS::ExactlyOnce], 5);
        let sender = Sender::new(login, habits, Random::of_part(self.seed, run));
        let stage = Arc::new(Stage::new(server.mqtt()));
        let sending = thread::spawn({
            let stage = Arc::clone(&stage);
            move || sender.run(&stage)
        });
        stage.wait_for_acknowledged(ACKNOWLEDGED);
        stage.set_phase(Phase::Last);
        self.senders.push(sending.join().unwrap());
    }
}

#[test]
fn between_runs_the_clock_steps_back_an_hour_and_forward_a_year() {
    let server = Server::start(off_by(on_another_clock(Home::new()), 0));
    let mut talk = Talk::new(&server, seed("clock"));
    let (mut there, away) = (talk.receiver(&server, "there"), talk.receiver(&server, "away"));
    let mut home = server.stop();
    let (mut latest_own_ms, mut allowed_ms) = (0, 0);
    for (run, off_s) in STEPS_S.into_iter().enumerate() {
        let server = Server::start(off_by(Arc::try_unwrap(home).unwrap(), off_s));
        let own_ms = unix_ms(off_s);
        talk.say(&server);
        let stored = talk.stored(&server);
        assert_reached(stored.values().flatten(), own_ms);
        let stage = Stage::new(server.mqtt());
        stage.set_phase(Phase::heads(&stored));
        there.receive(&stage);
        latest_own_ms = unix_ms(off_s).max(latest_own_ms);
        allowed_ms += RESERVED_BEHIND_MS;
        assert_ids(stored.values().flatten(), latest_own_ms + RESERVED_MS + allowed_ms);
        home = if run.is_multiple_of(2) { server.kill() } else { server.stop() };
    }
    let server = Server::start(off_by(Arc::try_unwrap(home).unwrap(), 0));
    let stored = talk.stored(&server);
    let stage = Stage::new(server.mqtt());
    stage.set_phase(Phase::heads(&stored));
    let receivers = vec![there.run(&stage), away.run(&stage)];
    assert_eq!(check(&History { senders: talk.senders, stored, receivers }), []);
}

#[test]
fn under_a_running_server_the_clock_steps_as_well() {
    let home = on_another_clock(Home::new()).with("TALARIA_LISTEN__MQTT", &address(6).to_string());
    let file: PathBuf = home.folder().join("off-by");
    let step = |off_s: i64| {
        let new = file.with_extension("new");
        fs::write(&new, format!("{off_s:+}\n")).unwrap();
        fs::rename(new, &file).unwrap();
    };
    step(0);
    // Read at every look at the clock.
    let home = home.with("FAKETIME_TIMESTAMP_FILE", &file.display().to_string()).with("FAKETIME_NO_CACHE", "1");
    let server = Server::start(home);
    let load = Load::start(&server, seed("running clock"));
    let started_ms = unix_ms(YEAR_S);
    for off_s in STEPS_S {
        step(off_s);
        load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
    }
    let latest_ms = unix_ms(YEAR_S) + RESERVED_MS + RESERVED_BEHIND_MS;
    let history = load.finish(&server);
    assert_ids(history.stored.values().flatten(), latest_ms);
    assert_reached(history.stored.values().flatten(), started_ms);
    assert_eq!(check(&history), []);
}

//! Four people who talk all the time: in pairs, in a channel, with themselves; with stock and with keyed publishes, in 3.1.1 and in
//! 5.0, at QoS 1 and 2; and sessions of theirs that receive it, live, slowly, now and then, or at the very end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use talaria_codec::{QoS, Version};
use talaria_tests::http::Answer;
use talaria_tests::{PATIENCE, Person, Server};

use crate::connection::Login;
use crate::history::{self, Event, History};
use crate::receiver::{Habit, Receiver};
use crate::seed::Random;
use crate::sender::{Habits, Sender};
use crate::stage::{Phase, Stage};

/// Events of one page of history.
const PAGE: usize = 200;

/// A load that runs until [`finish`](Self::finish).
pub(crate) struct Load {
    pub(crate) stage: Arc<Stage>,
    pub(crate) conversations: Vec<Conversation>,
    /// Subscribed before anything was said, and then nobody's business here.
    pub(crate) absent: Receiver,
    senders: Vec<JoinHandle<history::Sender>>,
    receivers: Vec<JoinHandle<history::Receiver>>,
}

/// A conversation.
#[derive(Clone)]
pub(crate) struct Conversation {
    pub(crate) name: String,
    pub(crate) members: Vec<Person>,
}

/// Everybody and everything, before anything is said.
struct World {
    people: [Person; 4],
    conversations: Vec<Conversation>,
    channel: String,
}

impl Load {
    /// Makes everything and lets it run.
    pub(crate) fn start(server: &Server, seed: u64) -> Self {
        Self::start_with(server, seed, |_| {})
    }

    /// The same with senders of other habits.
    pub(crate) fn start_with(server: &Server, seed: u64, change: fn(&mut Habits)) -> Self {
        let world = World::new(server);
        let stage = Arc::new(Stage::new(server.mqtt()));
        let mut receivers = world.receivers(server, &stage, seed);
        let absent = receivers.pop().unwrap();
        let receivers = receivers.into_iter().map(|receiver| {
            let stage = Arc::clone(&stage);
            thread::spawn(move || receiver.run(&stage))
        });
        let receivers = receivers.collect();
        let senders = world.senders(seed, change).into_iter().map(|sender| {
            let stage = Arc::clone(&stage);
            thread::spawn(move || sender.run(&stage))
        });
        let senders = senders.collect();
        Self { stage, conversations: world.conversations, absent, senders, receivers }
    }

    /// Lets everything be acknowledged, then shown, and gives what was seen of it.
    pub(crate) fn finish(mut self, server: &Server) -> History {
        self.stage.set_phase(Phase::Last);
        let senders = std::mem::take(&mut self.senders).into_iter().map(|thread| thread.join().unwrap()).collect();
        let stored: BTreeMap<_, _> = self
            .conversations
            .iter()
            .map(|conversation| (conversation.name.clone(), conversation.read(server)))
            .collect();
        self.stage.set_phase(Phase::heads(&stored));
        let receivers = std::mem::take(&mut self.receivers).into_iter().map(|thread| thread.join().unwrap()).collect();
        History { senders, stored, receivers }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // A test that fails leaves no clients behind that look for a server.
        self.stage.set_phase(Phase::Over);
    }
}

pub(crate) fn head_of(events: &[Event]) -> u64 {
    events.last().map_or(0, |event| event.seq)
}

impl Conversation {
    /// All of its history, as its first member reads it.
    pub(crate) fn read(&self, server: &Server) -> Vec<Event> {
        self.try_read(server).unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// The same, or the answer that was no history.
    pub(crate) fn try_read(&self, server: &Server) -> Result<Vec<Event>, Answer> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let path = format!("/v1/conversations/{}/events?after_seq={}&limit={PAGE}", self.name, head_of(&events));
            let answer = server.get(&self.members[0], &path);
            if answer.status != 200 {
                return Err(answer);
            }
            let page = answer.json["events"].as_array().unwrap();
            events.extend(page.iter().map(Event::of));
            if answer.json["next"].is_null() {
                return Ok(events);
            }
        }
    }
}

impl World {
    fn new(server: &Server) -> Self {
        let people = server.people(["@kim", "@lee", "@park", "@max"]);
        let [kim, lee, park, max] = &people;
        let channel = format!("channel/{}", server.channel(kim, &[lee, park, max]));
        let pairs = [(kim, lee), (kim, park), (lee, max), (park, park), (max, kim)];
        let mut conversations: Vec<_> = pairs
            .map(|(one, other)| Conversation { name: dm(one, other), members: vec![one.clone(), other.clone()] })
            .into();
        conversations.push(Conversation { name: channel.clone(), members: people.to_vec() });
        Self { people, conversations, channel }
    }

    /// One session of a user writes to a conversation at most: keys are remembered by user and conversation, 256 of them.
    fn senders(&self, seed: u64, change: fn(&mut Habits)) -> Vec<Sender> {
        use QoS::{AtLeastOnce as One, ExactlyOnce as Two};
        use Version::{V5, V311};
        let [kim, lee, park, max] = &self.people;
        let to = |person: &Person, by: &Person| (format!("user/{}/message", person.id), dm(person, by));
        let by_handle = |person: &Person, by: &Person| (format!("user/{}/message", person.handle), dm(person, by));
        let channel = (format!("{}/message", self.channel), self.channel.clone());
        let notes = ("user/me/message".to_owned(), dm(park, park));
        [
            (login(kim, "stock", V311), habits(vec![to(lee, kim), channel.clone()], &[One], 0)),
            (login(kim, "keyed", V5), habits(vec![to(park, kim), by_handle(max, kim)], &[One, Two], 10)),
            (login(lee, "exactly-once", V5), habits(vec![to(kim, lee), channel.clone()], &[Two], 0)),
            (
                Login { is_kept: false, ..login(lee, "clean", V311) },
                Habits { packet_id_max: 100, ..habits(vec![to(max, lee)], &[One, Two], 0) },
            ),
            (login(park, "both", V5), habits(vec![notes, channel.clone(), by_handle(kim, park)], &[One, Two], 5)),
            (
                login(max, "few-ids", V311),
                Habits { packet_id_max: 40, ..habits(vec![to(kim, max), channel, to(lee, max)], &[One, Two], 3) },
            ),
        ]
        .into_iter()
        .zip(0..)
        .map(|((login, mut habits), part)| {
            change(&mut habits);
            Sender::new(login, habits, Random::of_part(seed, part))
        })
        .collect()
    }

    fn receivers(&self, server: &Server, stage: &Stage, seed: u64) -> Vec<Receiver> {
        use Habit::{Away, Roaming, Slow, Steady};
        use Version::{V5, V311};
        let [kim, lee, park, max] = &self.people;
        let receivers = [
            (login(kim, "steady", V311), Steady),
            (login(lee, "steady", V5), Steady),
            (Login { is_kept: false, ..login(max, "clean", V5) }, Steady),
            (Login { receive_maximum: NonZeroU16::new(3), ..login(park, "slow", V5) }, Slow),
            (login(max, "slow", V311), Slow),
            (login(kim, "roaming", V5), Roaming),
            (login(lee, "roaming", V311), Roaming),
            (Login { receive_maximum: NonZeroU16::new(8), ..login(park, "roaming", V5) }, Roaming),
            (login(max, "away", V311), Away),
            (login(kim, "away", V5), Away),
            (login(kim, "absent", V5), Steady),
        ];
        let subscribe = |((login, habit), part): ((Login, Habit), u64)| {
            let person = login.person.clone();
            let receiver = Receiver::subscribed(stage, login, habit, Random::of_part(seed, 100 + part));
            receiver.owed_after(self.heads_of(server, &person))
        };
        receivers.into_iter().zip(0..).map(subscribe).collect()
    }

    /// What is there of somebody's conversations.
    fn heads_of(&self, server: &Server, person: &Person) -> BTreeMap<String, u64> {
        let is_theirs = |conversation: &&Conversation| conversation.members.iter().any(|member| member.id == person.id);
        let head = |conversation: &Conversation| (conversation.name.clone(), head_of(&conversation.read(server)));
        self.conversations.iter().filter(is_theirs).map(head).collect()
    }
}

pub(crate) fn login(person: &Person, client_id: &str, version: Version) -> Login {
    Login { person: person.clone(), client_id: client_id.to_owned(), version, is_kept: true, receive_maximum: None }
}

pub(crate) fn habits(targets: Vec<(String, String)>, qos: &[QoS], keyed_of_ten: u64) -> Habits {
    Habits {
        targets,
        qos: qos.to_vec(),
        keyed_of_ten,
        window: 20,
        packet_id_max: u16::MAX,
        sets_dup: true,
        patience: PATIENCE,
        cut_once_in: None,
    }
}

/// The name of the conversation of two.
pub(crate) fn dm(one: &Person, other: &Person) -> String {
    let (one, other): (u64, u64) = (one.id.parse().unwrap(), other.id.parse().unwrap());
    format!("dm/{}-{}", one.min(other), one.max(other))
}

/// An address of loopback that nothing else has: clients know it before the server listens, and nobody's outgoing connection can take
/// its port meanwhile.
pub(crate) fn address(test: u8) -> SocketAddr {
    let [high, low] = (std::process::id() as u16).to_be_bytes();
    SocketAddr::from(([127, 64 + test, high, low.max(1)], 1883))
}

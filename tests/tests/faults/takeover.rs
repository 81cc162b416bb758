//! Two clients under one name that push each other out (INV-6): what either sent is stored once, what the session is owed comes to one
//! of them at least.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use talaria_codec::{QoS, Version};
use talaria_tests::{Home, PATIENCE, Server};

use crate::checker::check;
use crate::connection::{Connection, End, Incoming, Login};
use crate::history::{self, Event, History};
use crate::load::{Conversation, address, dm, habits, head_of, login};
use crate::receiver::INBOX;
use crate::seed::{Random, seed};
use crate::sender::Sender;
use crate::stage::{Phase, Stage};

const TURN: Duration = Duration::from_millis(20);
const TAKEOVERS: usize = 150;

/// The two clients of a receiving session.
struct Shared {
    login: Login,
    /// Held while one of them connects, so that connections are noted in the order that the server had them in.
    log: Mutex<history::Receiver>,
}

impl Shared {
    fn connect(&self, stage: &Stage) -> Option<(Connection, usize)> {
        let mut log = self.log.lock().unwrap();
        let connection = stage.connect(&self.login)?;
        assert!(connection.session_present);
        log.connections.push(Vec::new());
        Some((connection, log.connections.len() - 1))
    }

    /// One of them, until everything was shown.
    fn run(&self, stage: &Stage) {
        while let Some((mut connection, number)) = self.connect(stage) {
            if self.receive(&mut connection, number, stage).is_ok() {
                return;
            }
        }
    }

    fn receive(&self, connection: &mut Connection, number: usize, stage: &Stage) -> Result<(), End> {
        let since = Instant::now();
        loop {
            match stage.phase() {
                Phase::Over => return Ok(()),
                Phase::Heads(heads) if self.is_done(&heads) || since.elapsed() > PATIENCE => return Ok(()),
                _ => {}
            }
            match connection.next(TURN)? {
                Some(Incoming::Publish { packet_id, payload, .. }) => {
                    let event = Event::of(&serde_json::from_slice(&payload).unwrap());
                    self.log.lock().unwrap().connections[number].push(event);
                    connection.put_puback(packet_id.unwrap());
                    connection.flush()?;
                }
                Some(Incoming::Disconnect) => return Err(End::Gone),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }

    fn is_done(&self, heads: &BTreeMap<String, u64>) -> bool {
        let log = self.log.lock().unwrap();
        let has_shown = |conversation: &String, head: &u64| {
            let mut events = log.connections.iter().flatten();
            *head == 0 || events.any(|event| event.conversation == *conversation && event.seq == *head)
        };
        heads.iter().all(|(conversation, head)| has_shown(conversation, head))
    }

    fn takeovers(&self) -> usize {
        self.log.lock().unwrap().connections.len()
    }
}

#[test]
fn two_clients_of_one_name_lose_and_double_nothing() {
    let seed = seed("takeover");
    let server = Server::start(Home::new().with("TALARIA_LISTEN__MQTT", &address(9).to_string()));
    let [kim, lee] = server.people(["@kim", "@lee"]);
    let conversation = |name| Conversation { name, members: vec![kim.clone(), lee.clone()] };
    let channel = format!("channel/{}", server.channel(&kim, &[&lee]));
    let conversations = [conversation(dm(&kim, &lee)), conversation(channel.clone())];
    let head = |conversation: &Conversation| (conversation.name.clone(), head_of(&conversation.read(&server)));
    let stage = Arc::new(Stage::new(server.mqtt()));

    let login_of_lee = login(&lee, "phone", Version::V5);
    let mut first = stage.connect(&login_of_lee).unwrap();
    first.subscribe(INBOX, |incoming| panic!("{incoming:?}")).unwrap_or_else(|end| panic!("{end:?}"));
    let log = history::Receiver {
        name: "@lee phone".to_owned(),
        is_kept: true,
        owed_after: conversations.iter().map(head).collect(),
        connections: Vec::new(),
    };
    let shared = Arc::new(Shared { login: login_of_lee, log: Mutex::new(log) });
    let receivers = [0, 1].map(|_| {
        let (shared, stage) = (Arc::clone(&shared), Arc::clone(&stage));
        thread::spawn(move || shared.run(&stage))
    });
    // Under one name packet ids mean nothing: a key says which message it is. Each writes to a conversation of its own, where the other
    // does not push its keys out of the 256 that are remembered.
    let topics = [format!("user/{}/message", lee.id), format!("{channel}/message")];
    let senders = [(0, Version::V311), (1, Version::V5)].map(|(number, version)| {
        let at = number as usize;
        let habits = habits(vec![(topics[at].clone(), conversations[at].name.clone())], &[QoS::AtLeastOnce], 10);
        let login = login(&kim, "laptop", version);
        let sender = Sender::named(format!("@kim laptop {number}"), login, habits, Random::of_part(seed, number));
        let stage = Arc::clone(&stage);
        thread::spawn(move || sender.run(&stage))
    });

    while shared.takeovers() < TAKEOVERS {
        let acknowledged = stage.acknowledged();
        stage.wait_for_acknowledged(acknowledged + 1);
    }
    stage.set_phase(Phase::Last);
    let senders = senders.map(|thread| thread.join().unwrap()).into();
    let stored: BTreeMap<_, _> =
        conversations.iter().map(|conversation| (conversation.name.clone(), conversation.read(&server))).collect();
    stage.set_phase(Phase::heads(&stored));
    receivers.into_iter().for_each(|thread| thread.join().unwrap());
    let log = shared.log.lock().unwrap().clone();
    println!("{} connections, {} events", log.connections.len(), stored.values().map(Vec::len).sum::<usize>());
    assert_eq!(check(&History { senders, stored, receivers: vec![log] }), []);
    drop(server.stop());
}

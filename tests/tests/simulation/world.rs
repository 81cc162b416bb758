//! Everything of one round: clients, one process after the other, what outlives them, and what happens next.

use std::sync::{Arc, Mutex};

use talaria_codec::QoS;
use talaria_core::id::EPOCH_UNIX_MS;
use talaria_core::limits::INDEX_WINDOW_MS;
use talaria_core::{ChannelId, ConversationId, EventKind, Handle, Rules, UserId};
use talaria_port::Refusal;
use talaria_port::StoreErrorKind;
use talaria_port::channels::{Change, Channel};
use talaria_port::clock::Clock as _;
use talaria_port::membership::Membership as _;
use talaria_port::spawn::Spawn as _;
use talaria_storage_memory::{Fault, ManualClock, MemoryChannels, MemoryLease, MemoryPeople, MemoryStore, Stored};

use crate::client::link::{Link, Place};
use crate::client::publishing::Saying;
use crate::client::{Client, Scene};
use crate::dice::Dice;
use crate::doorman::Doorman;
use crate::ledger::{Ledger, Manner};
use crate::node::{Disk, Node, Recovery, Start};
use crate::observer;
use crate::plan::{Plan, Step};
use crate::sabotage::Sabotage;

/// Just before a window of the index ends, so that windows change in every round.
const BEGINS_UNIX_MS: u64 = 1_763_999_990_000;
/// How far the wall clock may be set forward in all: keys are remembered for a day.
const FORWARD_MS_MAX: u64 = 6 * 3_600_000;
/// Seqs of no removal.
const NEVER: u64 = 0;

/// A membership change that was asked for and not answered.
struct Asked {
    channel: ChannelId,
    users: Vec<UserId>,
    change: Change,
    answer: Arc<Mutex<Option<Result<(), Refusal>>>>,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    pub(crate) clock: ManualClock,
    /// Between a crash and the next start there is only its disk.
    pub(crate) node: Option<Node>,
    pub(crate) disk: Option<Disk>,
    pub(crate) clients: Vec<Client>,
    pub(crate) ledger: Ledger,
    pub(crate) users: Vec<(UserId, Handle)>,
    pub(crate) channels: Vec<ChannelId>,
    pub(crate) conversations: Vec<ConversationId>,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) is_traced: bool,
    rules: Rules,
    doorman: Doorman,
    asked: Vec<Asked>,
    keys: Vec<(UserId, ConversationId, String, usize)>,
    incarnation: u64,
    links: u64,
    forward_ms: u64,
    /// What a crash finds that loses a round.
    earlier: Option<Disk>,
}

impl World {
    pub(crate) fn new(seed: u64, rules: Rules, sabotage: Option<Sabotage>, is_traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::draw(&mut dice);
        let people = if plan.are_handles_known { MemoryPeople::new() } else { MemoryPeople::uncached() };
        let users: Vec<(UserId, Handle)> = (1..=plan.users as u64)
            .map(|id| (UserId::new(id).unwrap(), format!("@user{id}").parse().unwrap()))
            .collect();
        users.iter().for_each(|(user, handle)| people.add(*user, handle.clone()));
        let channels: Vec<_> = (0..plan.channels as u64).map(|at| ChannelId::new(500 + at).unwrap()).collect();
        let mut conversations: Vec<_> = channels.iter().map(|channel| ConversationId::Channel(*channel)).collect();
        for (at, (user, _)) in users.iter().enumerate() {
            conversations.push(ConversationId::Own(*user));
            conversations.extend(users[..=at].iter().map(|(other, _)| ConversationId::dm(*user, *other)));
        }
        let mut clients = Vec::new();
        for (user, handle) in &users {
            for _ in 0..plan.clients_per_user {
                clients.push(Client::new(clients.len(), *user, handle, &mut dice));
            }
        }
        let disk =
            Disk { store: MemoryStore::new(), channels: MemoryChannels::new(), people, lease: MemoryLease::new(0) };
        let doorman = Doorman::new(dice.fork());
        Self {
            dice,
            plan,
            clock: ManualClock::new(BEGINS_UNIX_MS),
            node: None,
            disk: Some(disk),
            clients,
            ledger: Ledger::default(),
            users,
            channels,
            conversations,
            sabotage,
            is_traced,
            rules,
            doorman,
            asked: Vec::new(),
            keys: Vec::new(),
            incarnation: 0,
            links: 0,
            forward_ms: 0,
            earlier: None,
        }
    }

    /// Starts a process where there is none.
    pub(crate) fn start(&mut self) {
        let Some(disk) = self.disk.take() else { return };
        self.incarnation += 1;
        let start = Start {
            loops: self.plan.loops,
            rules: self.rules,
            sabotage: self.sabotage,
            slow_percent: self.plan.slow_percent,
            is_traced: self.is_traced,
            clock: &self.clock,
            doorman: &self.doorman,
        };
        self.node = Some(Node::start(disk, &start, &mut self.dice));
    }

    /// Makes the channels, before anything goes wrong.
    pub(crate) fn make_channels(&mut self) -> Result<(), String> {
        let Some(node) = &self.node else { return Ok(()) };
        let mut answers = Vec::new();
        for id in self.channels.clone() {
            let members: Vec<_> = self.users.iter().map(|(user, _)| *user).filter(|_| self.dice.percent(70)).collect();
            let owner = self.users[0].0;
            let name = id.to_string();
            let created_unix_ms = self.clock.unix_ms();
            let channel = Channel { id, name, owner, created_unix_ms, history_shared: false };
            let (bridge, answer) = (node.bridge.clone(), Arc::new(Mutex::new(None)));
            answers.push(answer.clone());
            node.tasks.spawn(Box::pin(async move {
                let outcome = bridge.create(channel, &members).await;
                *answer.lock().unwrap() = Some(outcome);
            }));
        }
        for _ in 0..10_000 {
            if answers.iter().all(|answer| matches!(&*answer.lock().unwrap(), Some(Ok(())))) {
                return Ok(());
            }
            self.take(Step::Task)?;
            self.take(Step::Commit)?;
            self.take(Step::Turn)?;
            self.take(Step::TimePasses)?;
        }
        Err("the channels cannot be made".into())
    }

    /// One step of the round.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        let step = self.plan.step(&mut self.dice);
        if self.node.is_none() && self.dice.one_in(20) {
            self.start();
        }
        self.take(step)
    }

    pub(crate) fn take(&mut self, step: Step) -> Result<(), String> {
        if self.is_traced && !matches!(step, Step::Task | Step::Commit | Step::Client | Step::Release) {
            println!("{:>10} {step:?}", self.clock.monotonic_ms());
        }
        match step {
            Step::Turn => {
                let on_loop = self.dice.below(usize::from(self.plan.loops));
                self.turn(on_loop);
            }
            Step::Task => {
                if let Some(node) = &mut self.node {
                    node.tasks.poll_one(&mut self.dice);
                }
            }
            Step::Commit => {
                if let Some(node) = &mut self.node {
                    node.step_committer();
                }
            }
            Step::Client => {
                let at = self.dice.below(self.clients.len());
                self.act(at)?;
            }
            Step::Say => self.say(),
            Step::Connect => self.connect(false),
            Step::TakeOver => self.connect(true),
            Step::Cut => self.client().cut(),
            Step::Disconnect => self.client().disconnect(),
            Step::TurnSubscription => self.turn_subscription(),
            Step::ChangeMembers => self.change_members(),
            Step::TimePasses => self.pass(1..300),
            Step::MuchTimePasses => {
                let range = self.dice.pick(&[2_000..8_000, 9_000..40_000, 60_000..70_000, 300_000..700_000]);
                self.pass(range);
            }
            Step::WindowEnds => {
                let left_ms = INDEX_WINDOW_MS - (self.clock.unix_ms() - EPOCH_UNIX_MS) % INDEX_WINDOW_MS;
                let short_ms = self.dice.within(1..500);
                let upto = (left_ms as usize).saturating_sub(short_ms).max(1);
                self.pass(upto..upto + 1);
            }
            Step::ClockSteps => self.step_clock(),
            Step::CommitFails => self.fail_commit(),
            Step::ReadsFail => {
                let count = self.dice.within(1..5);
                if let Some(node) = &self.node {
                    node.pace.fail(count);
                }
            }
            Step::Release => {
                if let Some(node) = &self.node {
                    node.disk.store.faults().release(1);
                }
            }
            Step::Revoke => {
                let (user, _) = self.users[self.dice.below(self.users.len())];
                self.doorman.revoke(user);
            }
            Step::Drain => {
                if let Some(node) = &mut self.node {
                    node.is_draining = true;
                    node.broker.drain(5_000);
                }
            }
            Step::Crash => self.crash(),
        }
        self.look_after_node()
    }

    /// One loop has a turn.
    pub(crate) fn turn(&mut self, on_loop: usize) {
        let Some(node) = &mut self.node else { return };
        node.broker.turn(on_loop);
        for client in &mut self.clients {
            let links = client.link.iter_mut().chain(&mut client.old).filter(|link| link.on_loop == on_loop);
            links.for_each(Link::after_turn);
        }
    }

    /// One client acts; whether anything moved.
    pub(crate) fn act(&mut self, at: usize) -> Result<bool, String> {
        let Self { dice, ledger, node, disk, conversations, sabotage, is_traced, clients, .. } = self;
        let disk = node.as_ref().map(|node| &node.disk).or(disk.as_ref());
        let Some(disk) = disk else { return Ok(false) };
        let store = &disk.store;
        clients[at].act(&mut Scene { dice, ledger, store, conversations, sabotage, is_traced: *is_traced })
    }

    fn client(&mut self) -> &mut Client {
        let at = self.dice.below(self.clients.len());
        &mut self.clients[at]
    }

    /// A client that has no connection makes one; or one that has makes another, on any loop.
    fn connect(&mut self, takes_over: bool) {
        let at = self.dice.below(self.clients.len());
        if self.clients[at].link.is_some() == takes_over {
            let resets = self.dice.one_in(25);
            self.connect_client(at, resets);
        }
    }

    pub(crate) fn connect_client(&mut self, at: usize, resets: bool) {
        let on_loop = self.dice.below(usize::from(self.plan.loops));
        let Self { dice, ledger, node: Some(node), conversations, sabotage, is_traced, clients, .. } = self else {
            return;
        };
        if node.is_draining {
            return;
        }
        let Some(wire) = node.broker.connect(on_loop, clients[at].manner.room_bytes) else { return };
        self.links += 1;
        if *is_traced {
            println!("    client {at} connects as link {} on loop {on_loop}", self.links);
        }
        let store = &node.disk.store;
        let mut scene = Scene { dice, ledger, store, conversations, sabotage, is_traced: *is_traced };
        let place = Place { number: self.links, on_loop, incarnation: self.incarnation };
        clients[at].connect(wire, place, resets, &mut scene);
    }

    fn turn_subscription(&mut self) {
        let client = self.client();
        if client.is_live() && !client.manner.says_the_same {
            client.turn_subscription();
        }
    }

    fn say(&mut self) {
        let at = self.dice.below(self.clients.len());
        self.say_by(at);
    }

    /// A client publishes: mostly a message, sometimes what is never stored.
    pub(crate) fn say_by(&mut self, at: usize) {
        let client = &self.clients[at];
        if !client.is_live() || !client.has_room() || client.manner.says_the_same && !client.flights.is_empty() {
            return;
        }
        let (user, says_the_same) = (client.user, client.manner.says_the_same);
        let (conversation, topic) = self.target(user, says_the_same);
        let qos = self.dice.pick(&[QoS::AtLeastOnce, QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtMostOnce]);
        if !says_the_same && self.dice.one_in(12) {
            let (leaf, payload) = self.dice.pick(&[("typing", "{}"), ("read", r#"{"seq":1}"#)]);
            let topic = topic.replace("message", leaf);
            return self.clients[at].publish(None, topic, payload.into(), false, qos);
        }
        let text_bytes = if self.dice.one_in(8) { self.dice.below(self.plan.text_bytes_max) } else { 0 };
        let text = if says_the_same { "ok".into() } else { self.ledger.fresh_text(text_bytes) };
        let (key, shares_its_key) = if says_the_same { (None, false) } else { self.key(user, conversation) };
        let qos = if says_the_same { QoS::AtLeastOnce } else { qos };
        if self.is_traced {
            println!("    client {at} says {:.12} in {conversation} at {qos:?} with {key:?}", text);
        }
        let Self { dice, ledger, node, disk, conversations, sabotage, is_traced, clients, .. } = self;
        let Some(disk) = node.as_ref().map(|node| &node.disk).or(disk.as_ref()) else { return };
        let store = &disk.store;
        let saying = Saying { conversation, topic, text, key, shares_its_key, qos };
        let mut scene = Scene { dice, ledger, store, conversations, sabotage, is_traced: *is_traced };
        clients[at].say(saying, &mut scene);
    }

    /// Where to, and how it is spelled.
    fn target(&mut self, user: UserId, is_always_the_same: bool) -> (ConversationId, String) {
        if !self.channels.is_empty() && !is_always_the_same && self.dice.one_in(2) {
            let is_favourite = self.dice.percent(self.plan.favourite_percent);
            let channel = self.channels[if is_favourite { 0 } else { self.dice.below(self.channels.len()) }];
            return (ConversationId::Channel(channel), format!("channel/{channel}/message"));
        }
        let is_favourite = is_always_the_same || self.dice.percent(self.plan.favourite_percent);
        let at = if is_favourite { 0 } else { self.dice.below(self.users.len()) };
        let (other, handle) = &self.users[at];
        let spelled = match self.dice.below(3) {
            _ if is_always_the_same => other.to_string(),
            0 => format!("{handle}"),
            1 if *other == user => "me".into(),
            _ => other.to_string(),
        };
        (ConversationId::dm(user, *other), format!("user/{spelled}/message"))
    }

    /// Sometimes a key; and sometimes one that any session of the user used before.
    fn key(&mut self, user: UserId, conversation: ConversationId) -> (Option<String>, bool) {
        if !self.dice.one_in(4) {
            return (None, false);
        }
        let known: Vec<_> = self.keys.iter().filter(|(by, at, ..)| *by == user && *at == conversation).collect();
        if !known.is_empty() && self.dice.one_in(3) {
            let (_, _, key, first) = known[self.dice.below(known.len())].clone();
            self.ledger.said[first].manner = Manner::SharesItsKey;
            return (Some(key), true);
        }
        let key = format!("k{}", self.keys.len());
        self.keys.push((user, conversation, key.clone(), self.ledger.said.len()));
        (Some(key), false)
    }

    fn change_members(&mut self) {
        if self.channels.is_empty() || self.asked.len() > 4 {
            return;
        }
        let channel = self.channels[self.dice.below(self.channels.len())];
        // The owner stays, so that somebody may change it.
        let users: Vec<_> =
            (self.users.iter().skip(1)).map(|(user, _)| *user).filter(|_| self.dice.one_in(2)).collect();
        let change = self.dice.pick(&[Change::Join, Change::Leave]);
        let by = self.users[0].0;
        let Some(node) = &self.node else { return };
        let (bridge, answer) = (node.bridge.clone(), Arc::new(Mutex::new(None)));
        if self.is_traced {
            println!("    {change:?} {users:?} in {channel}");
        }
        self.asked.push(Asked { channel, users: users.clone(), change, answer: answer.clone() });
        node.tasks.spawn(Box::pin(async move {
            let outcome = bridge.change(channel, by, &users, change).await;
            *answer.lock().unwrap() = Some(outcome);
        }));
    }

    /// After a removal was answered, nothing that lay before it goes to the removed.
    fn on_answered_changes(&mut self) {
        let Some(node) = &self.node else { return };
        let answered = self.asked.extract_if(.., |asked| asked.answer.lock().unwrap().is_some());
        for asked in answered {
            let is_done = matches!(&*asked.answer.lock().unwrap(), Some(Ok(())));
            if self.is_traced {
                println!("    answered: {:?} {:?} {is_done}", asked.change, asked.users);
            }
            if !is_done || asked.change == Change::Join {
                continue;
            }
            let conversation = ConversationId::Channel(asked.channel);
            for user in asked.users {
                let left_seq = left_seq(&node.disk.store, conversation, user);
                for client in self.clients.iter_mut().filter(|client| client.user == user) {
                    for link in client.link.iter_mut().chain(&mut client.old) {
                        link.forbid(conversation, left_seq);
                    }
                }
            }
        }
    }

    pub(crate) fn pass(&mut self, range: std::ops::Range<usize>) {
        self.clock.advance_ms(self.dice.within(range) as u64);
        if let Some(node) = &self.node {
            node.bridge.upkeep();
        }
    }

    fn step_clock(&mut self) {
        let (now, hour_ms) = (self.clock.unix_ms(), 3_600_000);
        if self.dice.one_in(2) {
            self.clock.set_unix_ms(now - hour_ms);
        } else if self.forward_ms < FORWARD_MS_MAX {
            self.forward_ms += hour_ms;
            self.clock.set_unix_ms(now + hour_ms);
        }
    }

    fn fail_commit(&mut self) {
        let stored = self.dice.pick(&[Stored::Nothing, Stored::Part, Stored::All]);
        let fail = Fault::Fail(self.dice.pick(&[StoreErrorKind::Unavailable, StoreErrorKind::Full]));
        let fault = self.dice.pick(&[fail, Fault::Unknown(stored), Fault::Hold(stored)]);
        let count = self.dice.within(1..4);
        if let Some(node) = &mut self.node {
            node.faults.extend(std::iter::repeat_n(fault, count));
        }
    }

    /// Everything but what is durable is lost.
    pub(crate) fn crash(&mut self) {
        let Some(node) = self.node.take() else { return };
        let disk = node.crash();
        if self.is_traced {
            println!("    the process is gone");
        }
        self.asked.clear();
        self.disk = Some(match self.earlier.take() {
            Some(earlier) => earlier,
            None => disk,
        });
        for client in &mut self.clients {
            // What was on the wire may arrive all the same.
            if self.dice.one_in(2) {
                client.cut();
            }
        }
    }

    /// A process that has ended goes; answers are taken; sabotage is prepared.
    fn look_after_node(&mut self) -> Result<(), String> {
        self.on_answered_changes();
        let Some(node) = &mut self.node else { return Ok(()) };
        if let Some(mistake) = &node.mistake {
            return Err(format!("the store was asked for what it cannot do: {mistake}"));
        }
        if node.recovery() == Recovery::Failed {
            self.crash();
        } else if node.is_draining && node.broker.is_drained() {
            // The pipeline ends behind the loops, with nothing left to write.
            node.calm();
            while node.step_committer() {}
            self.crash();
        }
        Ok(())
    }

    /// For the sabotage of a crash: what it will find.
    pub(crate) fn remember_disk(&mut self) {
        if let Some(node) = &self.node {
            let Disk { store, channels, people, lease } = &node.disk;
            let (people, lease) = (people.clone(), lease.clone());
            self.earlier = Some(Disk { store: store.durable_copy(), channels: channels.durable_copy(), people, lease });
        }
    }

    /// For the sabotage of a delivery to a stranger: somebody sees what two others wrote.
    pub(crate) fn leak(&mut self) {
        let is_foreign =
            |client: &Client, conversation: &ConversationId| conversation.names(client.user) == Some(false);
        let Some(node) = &self.node else { return };
        for client in &mut self.clients {
            let foreign = self.conversations.iter().find(|conversation| {
                is_foreign(client, conversation) && observer::head(&node.disk.store, **conversation) > 0
            });
            if let (Some(sight), Some(conversation)) = (client.sights.last_mut(), foreign) {
                // It is in its order.
                let _ = sight.see(*conversation, 1);
                return;
            }
        }
    }

    /// Ends all that was injected.
    pub(crate) fn calm(&mut self) {
        if let Some(node) = &mut self.node {
            node.calm();
        }
        self.clients.iter_mut().for_each(|client| client.manner.calm());
    }

    /// Whether every change that was asked for is answered.
    pub(crate) fn has_answered_changes(&self) -> bool {
        self.asked.is_empty()
    }

    /// The store as it is.
    pub(crate) fn store(&self) -> Option<&MemoryStore> {
        self.node.as_ref().map(|node| &node.disk.store)
    }
}

/// The seq of the user's last leave.
fn left_seq(store: &MemoryStore, conversation: ConversationId, user: UserId) -> u64 {
    let leaves = format!("\"user\":\"{user}\"");
    let events = observer::events(store, conversation);
    let is_leave =
        |event: &&talaria_core::Event| event.kind == EventKind::MemberLeft && *event.body == *leaves.as_bytes();
    events.iter().rfind(is_leave).map_or(NEVER, |event| event.seq.0)
}

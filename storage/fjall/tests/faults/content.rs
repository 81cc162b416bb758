//! A store with every kind of row, and all that can be read from it.

use std::fmt::Debug;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use talaria_core::{ChannelId, ConversationId, Event, EventId, EventKind, Origin, Seq, UserId};
use talaria_port::messages::{
    Amount, Append, Checkpoint, Fingerprint, IndexRow, MessageStore, MovedRow, ReadMark, Remembered, Round, Span,
    Window,
};
use talaria_port::sessions::{Mark, Position, SessionKey, SessionRow, SessionStore, SessionWrite};
use talaria_port::{StoreError, StoreErrorKind};
use talaria_storage_fjall::FjallStore;

const USERS: u64 = 6;
const CHANNELS: u64 = 3;
const ALL: Amount = Amount { events: usize::MAX, bytes: usize::MAX };

/// Choices that a seed repeats (SplitMix64; Steele, Lea, Flood 2014).
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % end
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn conversations() -> Vec<ConversationId> {
    let dms = (1..=USERS).flat_map(|a| (a..=USERS).map(move |b| ConversationId::dm(user(a), user(b))));
    let channels = (1..=CHANNELS).map(|id| ConversationId::Channel(ChannelId::new(id << 40).unwrap()));
    dms.chain(channels).chain((1..=USERS).map(|id| ConversationId::Own(user(id)))).collect()
}

fn names() -> Vec<SessionKey> {
    let name = |user, client_id: &str| SessionKey { user, client_id: client_id.into() };
    (1..=USERS).flat_map(|id| [name(user(id), "phone"), name(user(id), "phone 2"), name(user(id), "웹")]).collect()
}

/// Makes rounds, one after the other.
#[derive(Clone)]
pub(crate) struct Rounds {
    dice: Dice,
    heads: Vec<(ConversationId, Seq, EventId, u64)>,
    id: u64,
    number: u64,
    /// Bodies get this much longer than a few hundred bytes.
    pub(crate) more_bytes: usize,
}

impl Rounds {
    pub(crate) fn new(seed: u64) -> Self {
        let heads = conversations().into_iter().map(|of| (of, Seq::ZERO, EventId::ZERO, 0)).collect();
        Self { dice: Dice(seed), heads, id: 1 << 50, number: 0, more_bytes: 0 }
    }

    fn append(&mut self, which: usize) -> Append {
        let mut events = Vec::new();
        for _ in 0..=self.dice.below(4) {
            self.id += 1 + self.dice.below(1 << 34);
            let (conversation, seq, prev_id, messages) = self.heads[which];
            let kind = if self.dice.one_in(5) { EventKind::MemberJoined } else { EventKind::Message };
            let messages = messages + u64::from(kind.is_message());
            let body = vec![b'a' + (self.id % 26) as u8; self.more_bytes + self.dice.below(600) as usize];
            let key = self.dice.one_in(2).then(|| format!("key {}", self.id).into());
            let origin = (key.is_none() && self.dice.one_in(2)).then_some(Origin {
                client: self.id.wrapping_mul(77),
                packet_id: (self.id % 65_535) as u16,
                payload: self.id.wrapping_mul(99),
            });
            let event = Event {
                conversation,
                seq: seq.next(),
                id: EventId(self.id),
                prev_id,
                messages,
                epoch: 1,
                from: user(1 + self.dice.below(USERS)),
                kind,
                key,
                origin,
                body: Bytes::from(body),
            };
            self.heads[which] = (conversation, event.seq, event.id, messages);
            events.push(Arc::new(event));
        }
        Append { events }
    }

    pub(crate) fn next(&mut self) -> Round {
        self.number += 1;
        let mut round = Round::default();
        for which in 0..self.heads.len() {
            if self.dice.one_in(4) {
                let append = self.append(which);
                self.around(&mut round, &append);
                round.appends.push(append);
            }
        }
        self.sessions(&mut round);
        round.fanned_out = Some(EventId(self.id - 1));
        round
    }

    /// Rolls back to here after a round that was not stored: what comes next is something else.
    pub(crate) fn changed(mut self) -> Self {
        self.dice.0 ^= 1 << 60;
        self.id += 1_000;
        self
    }

    /// Every event of every round is there, in order, and no other.
    pub(crate) fn check(&self, store: &FjallStore) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (of, head, id, _) in &self.heads {
            let events = runtime.block_on(store.events(*of, Span::After(Seq::ZERO), ALL)).unwrap();
            let mut last = (Seq::ZERO, EventId::ZERO);
            for event in &events {
                assert_eq!((event.seq, event.prev_id), (last.0.next(), last.1), "{of}");
                last = (event.seq, event.id);
            }
            assert_eq!(last, (*head, *id), "{of}");
        }
    }

    /// What goes with events.
    fn around(&mut self, round: &mut Round, append: &Append) {
        let last = append.events.last().unwrap();
        let (conversation, window) = (last.conversation, Window::of(last.id));
        for id in 1..=USERS {
            round.index.push(IndexRow { user: user(id), window, conversation });
        }
        round.moved.push(MovedRow { window, conversation });
        if let ConversationId::Dm(pair) = conversation {
            round.listed.extend([(pair.low(), conversation), (pair.high(), conversation)]);
        }
        let by = user(1 + self.dice.below(USERS));
        round.reads.push(ReadMark { user: by, conversation, seq: last.seq });
        if self.dice.one_in(3) {
            let remembered = append.events.iter().map(|event| Remembered {
                sender: event.from,
                fingerprint: event.origin.map_or(Fingerprint::Key(event.id.0), Fingerprint::Origin),
                seq: event.seq,
                id: event.id,
            });
            let (seq, id, messages) = (last.seq, last.id, last.messages);
            let remembered = remembered.collect();
            round.checkpoints.push(Checkpoint { conversation, seq, id, messages, epoch: 1, remembered });
        }
    }

    fn sessions(&mut self, round: &mut Round) {
        let mut names = names();
        let name = names.swap_remove(self.dice.below(names.len() as u64) as usize);
        let generation = self.number;
        let (conversation, seq, id, _) = self.heads[0];
        round.sessions.push(match self.dice.below(4) {
            0 => SessionWrite::End(name, generation - 1),
            1 => SessionWrite::Row(
                name,
                SessionRow { generation, expiry_s: 60, subscriptions: vec![("dm/+/in".into(), 1), ("#".into(), 0)] },
            ),
            _ => SessionWrite::Mark(
                name,
                Mark {
                    generation,
                    write: 1,
                    settled: id,
                    behind: vec![(conversation, Position::At(seq, id)), (conversation, Position::After(id))],
                    ahead: vec![(conversation, seq, id)],
                    packet_id: (generation % 65_535) as u16,
                    unreleased: vec![1, 2, 3],
                    at_unix_ms: generation * 1000,
                    connected: true,
                    resend_floor: id,
                },
            ),
        });
    }
}

/// Commits a round.
pub(crate) fn commit(store: &FjallStore, round: Round) {
    let (tell, told) = mpsc::channel();
    store.commit(Arc::new(round), Box::new(move |outcome| tell.send(outcome).unwrap()));
    told.recv().unwrap().unwrap();
}

/// What a read gave, as text.
pub(crate) type Answer = Result<String, StoreErrorKind>;

/// Every read there is, with its answer.
pub(crate) fn everything(store: &FjallStore) -> Vec<(String, Answer)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut reads = Reads(Vec::new());
        reads.add("fanned_out", store.fanned_out().await);
        reads.add("moved", store.moved(Window(0), None, usize::MAX).await);
        reads.add("sessions", store.sessions(None, usize::MAX).await);
        for name in names() {
            reads.add(format!("session {name:?}"), store.session(&name).await);
        }
        for id in 1..=USERS {
            reads.add(format!("index {id}"), store.index(user(id), Window(0), None, usize::MAX).await);
            reads.add(format!("listed {id}"), store.listed(user(id), None, usize::MAX).await);
        }
        for of in conversations() {
            reads.add(format!("checkpoint {of}"), store.checkpoint(of).await);
            let seq = store.seq_at(of, EventId::MAX).await;
            reads.add(format!("seq_at {of}"), seq);
            for id in [1_u64 << 50, (1 << 50) + (1 << 38)] {
                reads.add(format!("seq_at {of} {id}"), store.seq_at(of, EventId(id)).await);
            }
            let few = Amount { events: 3, bytes: 500 };
            let newest = Span::Before(Seq(u64::MAX));
            for (what, span, amount) in
                [("after", Span::After(Seq::ZERO), ALL), ("before", newest, ALL), ("newest", newest, few)]
            {
                let answer = store.events(of, span, amount).await;
                reads.add(
                    format!("{what} {of}"),
                    answer.map(|events| events.into_iter().map(short).collect::<Vec<_>>()),
                );
            }
            for id in 1..=USERS {
                reads.add(format!("read mark {id} {of}"), store.read_mark(user(id), of).await);
            }
        }
        reads.0
    })
}

/// An event with its body told apart and not spelled out.
fn short(event: Event) -> (Event, u64) {
    let body = talaria_core::event::hash(&event.body);
    (Event { body: Bytes::new(), ..event }, body)
}

struct Reads(Vec<(String, Answer)>);

impl Reads {
    fn add<T: Debug>(&mut self, what: impl Into<String>, answer: Result<T, StoreError>) {
        let answer = answer.map(|answer| format!("{answer:?}")).map_err(|error| error.kind);
        self.0.push((what.into(), answer));
    }
}

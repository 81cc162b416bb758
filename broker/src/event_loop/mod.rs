//! One thread's loop: sockets, mailbox, wheel. It does the IO; what to answer is decided in `session` and `flow`.
//!
//! A turn: mail and ready sockets are worked off and mark their connections dirty; what they submit goes to the pipeline at
//! once in one call; then each dirty connection is written to once. A panic inside a connection's turn ends that connection.

pub(crate) mod mailbox;
mod socket;
mod wheel;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use talaria_codec::ReasonCode;
use talaria_core::EventId;
use talaria_port::authenticate::Revoked;
use talaria_port::deliver::{Address, Post};
use talaria_port::ingest::Submission;

use crate::session::{Connection, Turn, ticket};
use crate::{Deps, Settings};
use mailbox::{Letter, LoopMailbox, Mail, News, WAKE};
use socket::Socket;
use wheel::Wheel;

/// Bytes of the buffer that a loop reads into.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Connections accepted in one turn, so that a flood of them does not hold up the others.
const ACCEPTS_PER_TURN: usize = 256;
/// Reads of one connection in one turn.
const READS_PER_TURN: usize = 4;
/// Tokens of listeners end where `WAKE` is; connections count from 0.
const LISTENER_TOKENS: usize = usize::MAX - 1024;

/// What a loop and all its connections share.
pub(crate) struct Shared {
    pub(crate) index: u16,
    pub(crate) settings: Settings,
    pub(crate) deps: Deps,
    pub(crate) mailboxes: Vec<Arc<LoopMailbox>>,
    pub(crate) settled: EventId,
    pub(crate) rollbacks: u64,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) now_ms: u64,
    pub(crate) is_draining: bool,
}

impl Shared {
    /// At the start of a loop.
    pub(crate) fn new(index: u16, settings: Settings, deps: Deps, mailboxes: Vec<Arc<LoopMailbox>>) -> Self {
        let (settled, now_ms) = (deps.settled, deps.clock.monotonic_ms());
        let submissions = Vec::new();
        Self { index, settings, deps, mailboxes, settled, rollbacks: 0, submissions, now_ms, is_draining: false }
    }
}

struct Entry {
    socket: Socket,
    connection: Connection,
    nonce: u32,
    is_dirty: bool,
    /// The wheel's second; an entry of the wheel that comes earlier was superseded.
    due_s: u64,
}

/// The loop.
pub(crate) struct EventLoop {
    poll: Poll,
    listeners: Vec<mio::net::TcpListener>,
    shared: Shared,
    entries: Slab<Entry>,
    wheel: Wheel,
    dirty: Vec<u32>,
    /// Connections whose socket may have more to read.
    unread: Vec<u32>,
    scratch: Vec<u8>,
    next_nonce: u32,
    accept_again: bool,
    revoked_upto: u64,
    asks_revoked: bool,
    drain_until_ms: Option<u64>,
}

impl EventLoop {
    /// Registers the listeners.
    pub(crate) fn new(poll: Poll, mut listeners: Vec<mio::net::TcpListener>, shared: Shared) -> std::io::Result<Self> {
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(LISTENER_TOKENS + index), Interest::READABLE)?;
        }
        Ok(Self {
            poll,
            listeners,
            wheel: Wheel::new(shared.now_ms / 1000),
            shared,
            entries: Slab::new(),
            dirty: Vec::new(),
            unread: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
            next_nonce: 0,
            accept_again: false,
            revoked_upto: 0,
            asks_revoked: false,
            drain_until_ms: None,
        })
    }

    /// Runs until drained.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut mail = VecDeque::new();
        let mut last_s = 0;
        while !self.is_drained() {
            let wait = if self.accept_again || !self.unread.is_empty() { 0 } else { 1000 - self.shared.now_ms % 1000 };
            if let Err(error) = self.poll.poll(&mut events, Some(Duration::from_millis(wait)))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a loop cannot poll");
                return;
            }
            self.shared.now_ms = self.shared.deps.clock.monotonic_ms();
            self.ready(&events);
            self.shared.mailboxes[usize::from(self.shared.index)].take(&mut mail);
            let mut fences = Vec::new();
            for mail in mail.drain(..) {
                match mail {
                    Mail::Post(post) => fences.extend(self.on_post(post)),
                    Mail::Letter(letter) => self.on_letter(letter),
                }
            }
            if self.shared.now_ms / 1000 != last_s {
                last_s = self.shared.now_ms / 1000;
                self.on_second(last_s);
            }
            self.flush();
        }
    }

    fn ready(&mut self, events: &Events) {
        let mut accepts = std::mem::take(&mut self.accept_again);
        let mut readable = std::mem::take(&mut self.unread);
        for event in events {
            match event.token() {
                WAKE => {}
                Token(token) if token >= LISTENER_TOKENS => accepts = true,
                Token(token) => {
                    let slot = token as u32;
                    let Some(entry) = self.entries.get_mut(token) else { continue };
                    entry.socket.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
                    entry.socket.is_writable |= event.is_writable() || event.is_error();
                    if entry.socket.is_readable {
                        readable.push(slot);
                    }
                    self.soil(slot);
                }
            }
        }
        if accepts {
            self.accept();
        }
        for slot in readable {
            self.read(slot);
        }
    }

    fn accept(&mut self) {
        if self.shared.is_draining {
            return;
        }
        let mut accepted = 0;
        for index in 0..self.listeners.len() {
            while let Some(Ok((stream, _))) = self.listeners.get(index).map(mio::net::TcpListener::accept) {
                if self.entries.len() < self.shared.settings.connections_max
                    && let Err(error) = self.enter(stream)
                {
                    tracing::warn!(%error, "cannot take a connection");
                }
                accepted += 1;
                if accepted >= ACCEPTS_PER_TURN {
                    self.accept_again = true;
                    return;
                }
            }
        }
    }

    fn enter(&mut self, mut stream: mio::net::TcpStream) -> std::io::Result<()> {
        // Small packets are answered at once; a turn's worth is written in one call anyway.
        stream.set_nodelay(true)?;
        let vacant = self.entries.vacant_entry();
        let slot = vacant.key() as u32;
        self.poll.registry().register(&mut stream, Token(vacant.key()), Interest::READABLE | Interest::WRITABLE)?;
        self.next_nonce = self.next_nonce.wrapping_add(1);
        let nonce = self.next_nonce;
        let connection = Connection::new(self.shared.now_ms);
        let due_s = connection.due_s();
        vacant.insert(Entry {
            socket: Socket::new(stream),
            connection,
            nonce,
            is_dirty: false,
            due_s: self.wheel.put(due_s, (slot, nonce)),
        });
        Ok(())
    }

    fn read(&mut self, slot: u32) {
        for _ in 0..READS_PER_TURN {
            let Some(entry) = self.entries.get_mut(slot as usize) else { return };
            if !entry.socket.is_readable || entry.connection.is_paused() {
                return;
            }
            match entry.socket.read(&mut self.scratch) {
                Ok(Some(0)) | Err(_) => {
                    self.run_turn(slot, Connection::on_end);
                    return;
                }
                Ok(None) => return,
                Ok(Some(bytes)) => {
                    let scratch = std::mem::take(&mut self.scratch);
                    let input = scratch.get(..bytes).unwrap_or_default();
                    self.run_turn(slot, |connection, turn| connection.on_bytes(turn, input));
                    self.scratch = scratch;
                }
            }
        }
        self.unread.push(slot);
    }

    /// Lends the loop to a connection; a panic there ends that connection and nothing else.
    fn run_turn(&mut self, slot: u32, run: impl FnOnce(&mut Connection, &mut Turn<'_>)) {
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        let me = Address { mailbox: self.shared.index, slot, nonce: entry.nonce };
        let mut turn = Turn { shared: &mut self.shared, me };
        let connection = &mut entry.connection;
        if catch_unwind(AssertUnwindSafe(|| run(connection, &mut turn))).is_err() {
            tracing::error!("a connection's turn panicked; it is closed");
            connection.close(ReasonCode::UnspecifiedError);
        }
        self.soil(slot);
    }

    fn run_for(&mut self, slot: u32, nonce: u32, run: impl FnOnce(&mut Connection, &mut Turn<'_>)) {
        if self.entries.get(slot as usize).is_some_and(|entry| entry.nonce == nonce) {
            self.run_turn(slot, run);
        }
    }

    fn soil(&mut self, slot: u32) {
        if let Some(entry) = self.entries.get_mut(slot as usize)
            && !std::mem::replace(&mut entry.is_dirty, true)
        {
            self.dirty.push(slot);
        }
    }

    /// Works a post off in its order; the fence comes back, to be dropped when everything before it is done.
    fn on_post(&mut self, post: Post) -> Option<talaria_port::deliver::Fence> {
        if let Some(rollbacks) = post.rollbacks {
            self.shared.rollbacks = rollbacks;
        }
        for completion in post.completions {
            let (slot, nonce, number) = ticket::split(completion.ticket);
            if self.entries.get(slot as usize).is_some_and(|entry| ticket::is_of(entry.nonce, nonce)) {
                self.run_turn(slot, |connection, turn| connection.on_completion(turn, number, completion.outcome));
            }
        }
        for (event, to) in post.deliveries.iter() {
            for &(slot, nonce) in to {
                self.run_for(slot, nonce, |connection, turn| connection.on_live(turn, event));
            }
        }
        for (hint, to) in &post.hints {
            for &(slot, nonce) in to {
                self.run_for(slot, nonce, |connection, _| connection.on_hint(hint));
            }
        }
        if let Some(settled) = post.settled {
            self.shared.settled = self.shared.settled.max(settled);
        }
        post.fence
    }

    fn on_letter(&mut self, letter: Letter) {
        match letter {
            Letter::News(slot, nonce, News::TakenOver(by)) => {
                if self.entries.get(slot as usize).is_some_and(|entry| entry.nonce == nonce) {
                    self.run_turn(slot, |connection, turn| connection.on_news(turn, News::TakenOver(by)));
                } else {
                    self.tell(by, News::HandedOver);
                }
            }
            Letter::News(slot, nonce, news) => {
                self.run_for(slot, nonce, |connection, turn| connection.on_news(turn, news));
            }
            Letter::Revocations(result) => self.on_revocations(result),
            Letter::Drain { within_ms } => self.on_drain(within_ms),
        }
    }

    fn tell(&self, to: Address, news: News) {
        if let Some(mailbox) = self.shared.mailboxes.get(usize::from(to.mailbox)) {
            mailbox.letter(Letter::News(to.slot, to.nonce, news));
        }
    }

    fn on_revocations(&mut self, result: Result<(Vec<Revoked>, u64), talaria_port::StoreError>) {
        self.asks_revoked = false;
        let Ok((revoked, upto)) = result else { return };
        self.revoked_upto = upto;
        for revoked in revoked {
            // Sessions of other devices of the user connect again and are admitted again.
            let (Revoked::User(user) | Revoked::Device(user, _)) = revoked;
            for claim in self.shared.deps.claims.held_by(user) {
                self.tell(claim.address, News::Revoked);
            }
        }
    }

    fn ask_revoked(&mut self) {
        if self.shared.index != 0 || self.asks_revoked {
            return;
        }
        self.asks_revoked = true;
        let (authenticate, after) = (Arc::clone(&self.shared.deps.authenticate), self.revoked_upto);
        let mailbox = Arc::clone(&self.shared.mailboxes[0]);
        self.shared.deps.spawn.spawn(Box::pin(async move {
            mailbox.letter(Letter::Revocations(authenticate.revoked(after).await));
        }));
    }

    fn on_second(&mut self, now_s: u64) {
        self.ask_revoked();
        let mut due = Vec::new();
        self.wheel.advance(now_s, &mut due);
        for (slot, nonce) in due {
            let entry = self.entries.get_mut(slot as usize);
            let Some(entry) = entry.filter(|entry| entry.nonce == nonce && entry.due_s <= now_s) else { continue };
            // The turn's end puts it in again.
            entry.due_s = u64::MAX;
            self.run_turn(slot, Connection::on_tick);
        }
    }

    fn on_drain(&mut self, within_ms: u64) {
        self.shared.is_draining = true;
        self.drain_until_ms = Some(self.shared.now_ms.saturating_add(within_ms));
        for mut listener in self.listeners.drain(..) {
            // It is closed right after; a failure changes nothing.
            let _ = self.poll.registry().deregister(&mut listener);
        }
        let slots: Vec<_> = self.entries.iter().map(|(slot, _)| slot as u32).collect();
        for slot in slots {
            self.run_turn(slot, Connection::on_drain);
        }
    }

    fn is_drained(&self) -> bool {
        self.drain_until_ms.is_some_and(|until| self.entries.is_empty() || self.shared.now_ms >= until)
    }

    /// Submits what came together, then writes to every dirty connection once.
    fn flush(&mut self) {
        loop {
            if !self.shared.submissions.is_empty() {
                let mut submissions = std::mem::take(&mut self.shared.submissions);
                self.shared.deps.ingest.submit(&mut submissions);
                self.shared.submissions = submissions;
            }
            let Some(slot) = self.dirty.pop() else { return };
            self.settle(slot);
        }
    }

    fn settle(&mut self, slot: u32) {
        // Still marked: what its own turn soils is done right here.
        self.run_turn(slot, Connection::on_turn_end);
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        entry.is_dirty = false;
        let now_ms = self.shared.now_ms;
        let is_broken = entry.connection.write_to(&mut entry.socket, now_ms).is_err();
        if is_broken {
            self.run_turn(slot, Connection::on_end);
        }
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        let due_s = entry.connection.due_s().max(now_ms / 1000 + 1);
        if due_s < entry.due_s {
            entry.due_s = self.wheel.put(due_s, (slot, entry.nonce));
        }
        if entry.connection.is_over() {
            self.remove(slot);
        } else if entry.socket.is_readable && !entry.connection.is_paused() {
            self.unread.push(slot);
        }
    }

    fn remove(&mut self, slot: u32) {
        let mut entry = self.entries.remove(slot as usize);
        let _ = self.poll.registry().deregister(&mut entry.socket.stream);
    }
}

//! A loop without the kernel: connections in pages, mailbox, wheel. It does the IO on [`Transport`]s; what to answer is decided in
//! `session` and `flow`.
//!
//! A turn: ready transports and mail are worked off and mark their connections dirty; what they submit goes to the pipeline in one
//! call; then each dirty connection is written to once. A panic inside a connection's turn ends that connection and no other.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use talaria_core::EventId;
use talaria_port::authenticate::Revoked;
use talaria_port::deliver::{Address, Fence, Post};
use talaria_port::ingest::Submission;

use super::mailbox::{Letter, LoopMailbox, Mail, News};
use super::pages::Pages;
use super::wheel::Wheel;
use crate::session::resends::Resends;
use crate::session::{Connection, Turn, ticket};
use crate::transport::{Ready, Transport};
use crate::{Deps, Settings, sweep};

/// Bytes of the buffer that a loop reads into.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Reads of one connection in one turn.
const READS_PER_TURN: usize = 4;

/// What a loop and all its connections share.
pub(crate) struct Shared {
    pub(crate) index: u16,
    pub(crate) settings: Settings,
    pub(crate) deps: Deps,
    pub(crate) mailboxes: Vec<Arc<LoopMailbox>>,
    /// What ended connections left for the next of their name.
    pub(crate) resends: Arc<Resends>,
    pub(crate) settled: EventId,
    pub(crate) rollbacks: u64,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) now_ms: u64,
    /// When this process began: no session of it or of an earlier one was seen alive later by a store.
    pub(crate) started_unix_ms: u64,
    pub(crate) is_draining: bool,
}

impl Shared {
    /// At the start of a loop.
    pub(crate) fn new(
        index: u16,
        settings: Settings,
        deps: Deps,
        mailboxes: Vec<Arc<LoopMailbox>>,
        resends: Arc<Resends>,
    ) -> Self {
        let (now_ms, started_unix_ms) = (deps.clock.monotonic_ms(), deps.clock.unix_ms());
        Self {
            index,
            settings,
            settled: deps.settled,
            deps,
            mailboxes,
            resends,
            rollbacks: 0,
            submissions: Vec::new(),
            now_ms,
            started_unix_ms,
            is_draining: false,
        }
    }
}

struct Entry<T> {
    transport: T,
    connection: Connection,
    nonce: u32,
    is_dirty: bool,
    /// It stands in `unread`.
    is_unread: bool,
    /// The wheel's second; an entry of the wheel that comes earlier was superseded.
    due_s: u64,
}

/// Which numbers were heard: all up to one, and some beyond it, for threads tell them in any order.
#[derive(Default)]
struct Heard {
    all_upto: u64,
    beyond: BTreeSet<u64>,
}

impl Heard {
    fn hear(&mut self, number: u64) {
        self.beyond.insert(number);
        while self.beyond.remove(&(self.all_upto + 1)) {
            self.all_upto += 1;
        }
    }
}

/// The loop's state.
pub(crate) struct Reactor<T> {
    shared: Shared,
    entries: Pages<Entry<T>>,
    wheel: Wheel,
    mail: VecDeque<Mail>,
    rollbacks: Heard,
    dirty: Vec<u32>,
    /// Connections whose transport may have more to read.
    unread: Vec<u32>,
    scratch: Vec<u8>,
    next_nonce: u32,
    second: u64,
    is_new_second: bool,
    revoked_upto: u64,
    asks_revoked: bool,
    drain_until_ms: Option<u64>,
}

impl<T: Transport> Reactor<T> {
    /// Without connections.
    pub(crate) fn new(shared: Shared) -> Self {
        let second = shared.now_ms / 1000;
        Self {
            shared,
            entries: Pages::new(),
            wheel: Wheel::new(second),
            mail: VecDeque::new(),
            rollbacks: Heard::default(),
            dirty: Vec::new(),
            unread: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
            next_nonce: 0,
            second,
            is_new_second: false,
            revoked_upto: 0,
            asks_revoked: false,
            drain_until_ms: None,
        }
    }

    /// How long the next turn may wait for something to happen.
    pub(crate) fn wait_ms(&self) -> u64 {
        if self.unread.is_empty() { 1000 - self.shared.now_ms % 1000 } else { 0 }
    }

    /// Reads the clock; to be called first in a turn.
    pub(crate) fn begin_turn(&mut self) {
        self.shared.now_ms = self.shared.deps.clock.monotonic_ms();
        self.is_new_second = self.shared.now_ms / 1000 != self.second;
        self.second = self.shared.now_ms / 1000;
    }

    /// Whether a second began with this turn.
    pub(crate) fn is_new_second(&self) -> bool {
        self.is_new_second
    }

    /// Whether no more connections are taken in.
    pub(crate) fn is_draining(&self) -> bool {
        self.shared.is_draining
    }

    /// Whether there is nothing left to do, or no time.
    pub(crate) fn is_drained(&self) -> bool {
        self.drain_until_ms.is_some_and(|until| self.entries.is_empty() || self.shared.now_ms >= until)
    }

    /// Connections that keep more than what an idle one has.
    #[cfg(feature = "simulation")]
    pub(crate) fn busy(&self) -> usize {
        let entries = self.entries.keys().into_iter().filter_map(|slot| self.entries.get(slot));
        entries.filter(|entry| entry.connection.active.is_some()).count()
    }

    /// Where the next connection goes; `None` while there is no room for one.
    pub(crate) fn free_slot(&self) -> Option<usize> {
        (self.entries.len() < self.shared.settings.connections_max).then(|| self.entries.vacant_key())
    }

    /// Takes a connection in, at [`free_slot`](Self::free_slot).
    pub(crate) fn enter(&mut self, transport: T) -> u32 {
        self.next_nonce = self.next_nonce.wrapping_add(1);
        let (slot, nonce) = (self.entries.vacant_key() as u32, self.next_nonce);
        let connection = Connection::new(self.shared.now_ms);
        let due_s = self.wheel.put(connection.due_s(), (slot, nonce));
        self.entries.insert(Entry { transport, connection, nonce, is_dirty: false, is_unread: false, due_s });
        slot
    }

    /// A transport may get on.
    pub(crate) fn on_ready(&mut self, slot: usize, ready: Ready) {
        let Some(entry) = self.entries.get_mut(slot) else { return };
        entry.transport.on_ready(ready);
        if entry.transport.is_readable() {
            self.remember_unread(slot as u32);
        }
        if ready.is_writable {
            self.soil(slot as u32);
        }
    }

    /// Works the mail off, reads, lets time pass, submits and writes; to be called last in a turn.
    pub(crate) fn end_turn(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.shared.mailboxes[usize::from(self.shared.index)].take(&mut mail);
        // Dropped when everything before them is done.
        let mut fences = Vec::new();
        for mail in mail.drain(..) {
            match mail {
                Mail::Post(post) => fences.extend(self.on_post(post)),
                Mail::Letter(letter) => self.on_letter(letter),
            }
        }
        self.mail = mail;
        // Behind the mail: an answer that is there holds back what the client sent after it (INV-3).
        for slot in std::mem::take(&mut self.unread) {
            if let Some(entry) = self.entries.get_mut(slot as usize) {
                entry.is_unread = false;
            }
            self.read(slot);
        }
        if std::mem::take(&mut self.is_new_second) {
            self.on_second();
        }
        self.flush();
    }

    fn read(&mut self, slot: u32) {
        for _ in 0..READS_PER_TURN {
            let Some(entry) = self.entries.get_mut(slot as usize) else { return };
            if !entry.transport.is_readable() || entry.connection.is_paused() {
                return;
            }
            match entry.transport.read(&mut self.scratch) {
                Ok(Some(0)) | Err(_) => return self.run_turn(slot, Connection::on_end),
                Ok(None) => {}
                Ok(Some(bytes)) => {
                    let scratch = std::mem::take(&mut self.scratch);
                    let input = scratch.get(..bytes).unwrap_or_default();
                    self.run_turn(slot, |connection, turn| connection.on_bytes(turn, input));
                    self.scratch = scratch;
                }
            }
        }
        self.remember_unread(slot);
    }

    /// Once, however often it is said: each place is a turn of reading.
    fn remember_unread(&mut self, slot: u32) {
        if let Some(entry) = self.entries.get_mut(slot as usize)
            && !std::mem::replace(&mut entry.is_unread, true)
        {
            self.unread.push(slot);
        }
    }

    /// Lends the loop to a connection; a panic there ends that connection and nothing else.
    fn run_turn(&mut self, slot: u32, run: impl FnOnce(&mut Connection, &mut Turn<'_>)) {
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        let me = Address { mailbox: self.shared.index, slot, nonce: entry.nonce };
        let mut turn = Turn { shared: &mut self.shared, me };
        let connection = &mut entry.connection;
        if catch_unwind(AssertUnwindSafe(|| run(connection, &mut turn))).is_err() {
            tracing::error!("a connection's turn panicked; it is closed");
            connection.abandon();
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
    fn on_post(&mut self, post: Post) -> Option<Fence> {
        for number in post.rollbacks {
            self.rollbacks.hear(number);
        }
        self.shared.rollbacks = self.rollbacks.all_upto;
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
        let (revoked, upto) = match result {
            Ok(revoked) => revoked,
            Err(error) => {
                tracing::warn!(%error, "revocations cannot be read; asked again with the next second");
                return;
            }
        };
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

    fn on_second(&mut self) {
        self.ask_revoked();
        if self.shared.index == 0 && sweep::is_time(self.second) {
            sweep::start(&self.shared.deps, self.shared.started_unix_ms);
        }
        let mut due = Vec::new();
        self.wheel.advance(self.second, &mut due);
        for (slot, nonce) in due {
            let entry = self.entries.get_mut(slot as usize);
            let Some(entry) = entry.filter(|entry| entry.nonce == nonce && entry.due_s <= self.second) else {
                continue;
            };
            // The turn's end puts it in again.
            entry.due_s = u64::MAX;
            self.run_turn(slot, Connection::on_tick);
        }
    }

    fn on_drain(&mut self, within_ms: u64) {
        self.shared.is_draining = true;
        self.drain_until_ms = Some(self.shared.now_ms.saturating_add(within_ms));
        for slot in self.entries.keys() {
            self.run_turn(slot as u32, Connection::on_drain);
        }
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
        let now_ms = self.shared.now_ms;
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        entry.is_dirty = false;
        if entry.connection.write_to(&mut entry.transport, now_ms).is_err() {
            self.run_turn(slot, Connection::on_end);
            self.run_turn(slot, Connection::on_turn_end);
        }
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        if entry.connection.is_over() {
            // Dropped, it is closed, and the kernel forgets it.
            self.entries.remove(slot as usize);
            return;
        }
        let due_s = entry.connection.due_s().max(now_ms / 1000 + 1);
        if due_s < entry.due_s {
            entry.due_s = self.wheel.put(due_s, (slot, entry.nonce));
        }
        if entry.transport.is_readable() && !entry.connection.is_paused() {
            self.remember_unread(slot);
        }
    }
}

//! The edge without the kernel: the same loops and connections over byte streams in memory, driven turn by turn on whatever clock,
//! stores and pipeline the caller brings. For seeded tests on virtual time, and for measuring many connections in one process.

use std::sync::{Arc, Mutex, Weak};

use talaria_port::deliver::Mailbox;

use crate::event_loop::mailbox::{Letter, LoopMailbox};
use crate::event_loop::reactor::{Reactor, Shared};
use crate::session::resends::Resends;
use crate::transport::Ready;
use crate::transport::memory::{MemoryTransport, Pipe, lock};
use crate::{Deps, Settings};

/// Mailboxes before the loops: the pipeline wants them first.
pub struct SimulatedMailboxes(Vec<Arc<LoopMailbox>>);

impl SimulatedMailboxes {
    /// One for each loop.
    pub fn new(loops: u16) -> Self {
        Self((0..loops.max(1)).map(|_| Arc::new(LoopMailbox::unwoken())).collect())
    }

    /// As the pipeline takes them.
    pub fn mailboxes(&self) -> Vec<Arc<dyn Mailbox>> {
        self.0.iter().map(|mailbox| Arc::clone(mailbox) as Arc<dyn Mailbox>).collect()
    }
}

struct Loop {
    reactor: Reactor<MemoryTransport>,
    wires: Vec<(usize, Weak<Mutex<Pipe>>)>,
}

/// Loops that run when they are told to.
pub struct SimulatedBroker {
    loops: Vec<Loop>,
    mailboxes: Vec<Arc<LoopMailbox>>,
}

impl SimulatedBroker {
    /// Loops over those mailboxes.
    pub fn new(mailboxes: SimulatedMailboxes, settings: &Settings, deps: &Deps) -> Self {
        let mailboxes = mailboxes.0;
        let resends = Arc::new(Resends::default());
        let reactor = |index: usize| {
            let shared =
                Shared::new(index as u16, settings.clone(), deps.clone(), mailboxes.clone(), Arc::clone(&resends));
            Loop { reactor: Reactor::new(shared), wires: Vec::new() }
        };
        Self { loops: (0..mailboxes.len()).map(reactor).collect(), mailboxes: mailboxes.clone() }
    }

    /// How many loops there are.
    pub fn loops(&self) -> usize {
        self.loops.len()
    }

    /// A client's connection to that loop; `room_bytes` is what fits on the wire until the client reads.
    pub fn connect(&mut self, on_loop: usize, room_bytes: usize) -> Option<Wire> {
        let on_loop = self.loops.get_mut(on_loop)?;
        let slot = on_loop.reactor.free_slot()?;
        let pipe = Arc::new(Mutex::new(Pipe { room_bytes, ..Pipe::default() }));
        on_loop.wires.push((slot, Arc::downgrade(&pipe)));
        on_loop.reactor.enter(MemoryTransport::new(Arc::clone(&pipe)));
        Some(Wire(pipe))
    }

    /// One turn of a loop.
    pub fn turn(&mut self, on_loop: usize) {
        let Some(Loop { reactor, wires }) = self.loops.get_mut(on_loop) else { return };
        reactor.begin_turn();
        wires.retain(|(slot, pipe)| {
            let Some(pipe) = pipe.upgrade() else { return false };
            let pipe = lock(&pipe);
            if pipe.server_gone {
                return false;
            }
            let ready = Ready {
                is_readable: !pipe.to_server.is_empty(),
                is_writable: pipe.to_client.len() < pipe.room_bytes,
                is_ended: pipe.client_ended || pipe.is_cut,
            };
            drop(pipe);
            reactor.on_ready(*slot, ready);
            true
        });
        reactor.end_turn();
    }

    /// How many connections keep more than what an idle one has.
    pub fn busy(&self) -> usize {
        self.loops.iter().map(|one| one.reactor.busy()).sum()
    }

    /// Begins the end, as [`Broker::drain`](crate::Broker::drain) does.
    pub fn drain(&self, within_ms: u64) {
        for mailbox in &self.mailboxes {
            mailbox.letter(Letter::Drain { within_ms });
        }
    }

    /// Whether every loop has nothing left to do.
    pub fn is_drained(&self) -> bool {
        self.loops.iter().all(|one| one.reactor.is_drained())
    }
}

/// The client's end of a connection.
pub struct Wire(Arc<Mutex<Pipe>>);

impl Wire {
    /// Sends bytes.
    pub fn send(&self, bytes: &[u8]) {
        lock(&self.0).to_server.extend(bytes);
    }

    /// Takes up to that many bytes that the server sent.
    pub fn receive(&self, bytes_max: usize, into: &mut Vec<u8>) {
        let mut pipe = lock(&self.0);
        let bytes = pipe.to_client.len().min(bytes_max);
        into.extend(pipe.to_client.drain(..bytes));
    }

    /// Bytes that the server sent and the client did not take yet.
    pub fn waiting_bytes(&self) -> usize {
        lock(&self.0).to_client.len()
    }

    /// Nothing more comes from the client; what it sent still arrives.
    pub fn end(&self) {
        lock(&self.0).client_ended = true;
    }

    /// The network is cut: what was sent and not read is lost on both sides.
    pub fn cut(&self) {
        let mut pipe = lock(&self.0);
        pipe.is_cut = true;
        pipe.to_server.clear();
        pipe.to_client.clear();
    }

    /// Whether the server let go of it.
    pub fn is_let_go(&self) -> bool {
        lock(&self.0).server_gone
    }

    /// Whether the server ended it and everything it sent was received.
    pub fn is_ended(&self) -> bool {
        let pipe = lock(&self.0);
        pipe.is_cut || pipe.to_client.is_empty() && (pipe.server_ended || pipe.server_gone)
    }
}

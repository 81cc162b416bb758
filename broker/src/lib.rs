//! The MQTT edge: listeners, loops, sessions and packet flows.
//!
//! It knows the pipeline, stores and accounts by their ports only ([`Deps`]); no runtime, no store, no other crate of a role.
//! A connection is a sans-IO state machine in a slab of one loop; it owns no task, timer or buffer while it is idle.
//!
//! **Where to start:** [`prepare`] binds, [`Prepared::start`] runs one thread a loop (`event_loop`, whose `reactor` is the part without the
//! kernel), which lends bytes of a `transport` to a connection (`session`), which hands each packet to its file in `flow`. Outgoing events pass through [`delivery`].

pub mod delivery;
mod event_loop;
mod flow;
mod session;
#[cfg(feature = "simulation")]
pub mod simulation;
mod sweep;
mod transport;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use talaria_core::limits::PACKET_BYTES_MAX;
use talaria_core::{EventId, Rules};
use talaria_port::authenticate::Authenticate;
use talaria_port::clock::Clock;
use talaria_port::deliver::Mailbox;
use talaria_port::directory::{Claims, Directory};
use talaria_port::history::CatchUps;
use talaria_port::ids::Ids;
use talaria_port::ingest::Ingest;
use talaria_port::people::People;
use talaria_port::sessions::{SessionLog, SessionStore};
use talaria_port::spawn::Spawn;

use event_loop::EventLoop;
use event_loop::mailbox::{Letter, LoopMailbox};
use event_loop::reactor::Shared;
use session::resends::Resends;
use transport::socket::Speaks;

/// What the edge is configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses of plain MQTT.
    pub listen: Vec<SocketAddr>,
    /// Addresses of MQTT over WebSocket, at the path `/mqtt`.
    pub listen_websocket: Vec<SocketAddr>,
    /// Origins that browsers may come from; `None`: any.
    pub websocket_origins: Option<Vec<String>>,
    /// Loops, one thread each; at least 1.
    pub loops: u16,
    /// Largest packet after login, in bytes.
    pub packet_bytes_max: usize,
    /// Connections of one loop; beyond, new ones are closed at once.
    pub connections_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            listen_websocket: Vec::new(),
            websocket_origins: None,
            loops: 1,
            packet_bytes_max: PACKET_BYTES_MAX,
            connections_max: 1 << 20,
        }
    }
}

/// Everything the edge calls.
#[derive(Clone)]
pub struct Deps {
    /// Where publishes go.
    pub ingest: Arc<dyn Ingest>,
    /// Stored sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Writes them.
    pub session_log: Arc<dyn SessionLog>,
    /// Who is connected where.
    pub directory: Arc<dyn Directory>,
    /// Who holds which session name.
    pub claims: Arc<dyn Claims>,
    /// Checks tokens.
    pub authenticate: Arc<dyn Authenticate>,
    /// Resolves handles.
    pub people: Arc<dyn People>,
    /// Reads what sessions missed.
    pub catch_ups: Arc<dyn CatchUps>,
    /// Draws generations.
    pub ids: Arc<dyn Ids>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Runs reads.
    pub spawn: Arc<dyn Spawn>,
    /// The settled watermark at start.
    pub settled: EventId,
    /// Which rules of delivery hold; all but in tests.
    pub rules: Rules,
}

/// Why the edge cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The system refuses what a loop needs.
    #[error("cannot set a loop up: {0}")]
    Loop(#[from] std::io::Error),
}

/// Bound listeners and mailboxes: what others need before loops run.
pub struct Prepared {
    settings: Settings,
    addresses: Vec<SocketAddr>,
    loops: Vec<(mio::Poll, Vec<(mio::net::TcpListener, Speaks)>)>,
    mailboxes: Vec<Arc<LoopMailbox>>,
}

/// Binds the listeners and makes one mailbox a loop.
///
/// # Errors
/// An address is taken or not ours, or the system is out of descriptors.
pub fn prepare(settings: Settings) -> Result<Prepared, BrokerError> {
    let origins = settings.websocket_origins.as_deref().map(Arc::from);
    let mut listeners = Vec::new();
    for (addresses, speaks) in
        [(&settings.listen, Speaks::Mqtt), (&settings.listen_websocket, Speaks::WebSocket(origins))]
    {
        for listener in transport::tcp::listen_all(addresses)? {
            listeners.push((listener, speaks.clone()));
        }
    }
    let mut addresses = Vec::new();
    for (listener, _) in &listeners {
        addresses.push(listener.local_addr()?);
    }
    let mut loops = Vec::new();
    let mut mailboxes = Vec::new();
    for _ in 0..settings.loops.max(1) {
        let poll = mio::Poll::new()?;
        mailboxes.push(Arc::new(LoopMailbox::new(poll.registry())?));
        let mut own = Vec::new();
        for (listener, speaks) in &listeners {
            own.push((mio::net::TcpListener::from_std(listener.try_clone()?), speaks.clone()));
        }
        loops.push((poll, own));
    }
    Ok(Prepared { settings, addresses, loops, mailboxes })
}

impl Prepared {
    /// The mailbox of each loop, by its index.
    pub fn mailboxes(&self) -> Vec<Arc<dyn Mailbox>> {
        self.mailboxes.iter().map(|mailbox| Arc::clone(mailbox) as Arc<dyn Mailbox>).collect()
    }

    /// What is really listened on, in the order of the settings, WebSocket last; ports 0 are resolved.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Starts a thread a loop.
    ///
    /// # Errors
    /// The system refuses a thread or a registration.
    pub fn start(self, deps: &Deps) -> Result<Broker, BrokerError> {
        let Self { settings, loops, mailboxes, .. } = self;
        let resends = Arc::new(Resends::default());
        let (ended, ends) = channel();
        let mut threads = Vec::new();
        for (index, (poll, listeners)) in loops.into_iter().enumerate() {
            let shared =
                Shared::new(index as u16, settings.clone(), deps.clone(), mailboxes.clone(), Arc::clone(&resends));
            let event_loop = EventLoop::new(poll, listeners, shared)?;
            let ended = ended.clone();
            let thread = std::thread::Builder::new().name(format!("loop-{index}")).spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| event_loop.run())).is_err() {
                    // Whoever is connected to it, or connects, would wait for ever; a process that is gone is started again.
                    tracing::error!("a loop panicked outside a connection's turn; the process ends");
                    std::process::abort();
                }
                // Nobody waits any more when the receiver is gone.
                let _ = ended.send(());
            })?;
            threads.push(thread);
        }
        Ok(Broker { mailboxes, threads: std::sync::Mutex::new((threads, ends)) })
    }
}

/// The running edge.
pub struct Broker {
    mailboxes: Vec<Arc<LoopMailbox>>,
    threads: std::sync::Mutex<(Vec<JoinHandle<()>>, Receiver<()>)>,
}

impl Broker {
    /// Stops accepting, lets what is in flight settle, writes marks, disconnects everybody (0x8B to 5.0 clients) and ends
    /// the loops. Blocks until done or until the deadline; the second call returns at once.
    pub fn drain(&self, deadline: Duration) {
        for mailbox in &self.mailboxes {
            mailbox.letter(Letter::Drain { within_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX) });
        }
        let mut threads = self.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let until = Instant::now() + deadline + Duration::from_secs(1);
        let (threads, ends) = &mut *threads;
        for _ in 0..threads.len() {
            if ends.recv_timeout(until.saturating_duration_since(Instant::now())).is_err() {
                return;
            }
        }
        threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

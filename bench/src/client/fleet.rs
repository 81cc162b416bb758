//! All connections of a run in one epoll set, and one turn of their loop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::connection::Connection;
use super::wire::Packet;

/// Connections from one source address; well below the 28,000 ports of an address, so that binding stays quick and a
/// port in TIME_WAIT is not met again.
const CONNECTIONS_PER_SOURCE: u32 = 4_000;
/// One read takes at most this; also the largest packet that the client accepts.
const READ_BUFFER_BYTES: usize = 256 * 1024;
const TIMER: Token = Token(usize::MAX - 1);

/// Every connection of this process draws its source address here: loopback is a /8, and no address is used up.
static OPENED: AtomicU32 = AtomicU32::new(0);

/// What to do with a packet. What is appended to `out` is sent on the same connection after the batch.
pub(crate) trait Driver {
    /// `who` is the number of the connection, `now` the time of this turn's wake.
    fn on_packet(&mut self, who: usize, packet: Packet<'_>, now: Instant, out: &mut Vec<u8>) -> Result<()>;
}

/// Owns the sockets. Connections are numbered from 0 in the order they were opened.
pub(crate) struct Fleet {
    server: SocketAddr,
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    out: Vec<u8>,
    timer: Option<OwnedFd>,
}

impl Fleet {
    /// An empty fleet for one server.
    pub(crate) fn new(server: SocketAddr) -> Result<Self> {
        Ok(Self {
            server,
            poll: Poll::new().context("epoll")?,
            events: Events::with_capacity(1024),
            connections: Vec::new(),
            buffer: vec![0; READ_BUFFER_BYTES],
            out: Vec::with_capacity(64 * 1024),
            timer: None,
        })
    }

    /// How many connections were opened and not dropped.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Opens one more connection, with `first` as the first bytes on it.
    pub(crate) fn open(&mut self, first: &[u8]) -> Result<()> {
        let mut connection = Connection::open(source(OPENED.fetch_add(1, Ordering::Relaxed)), self.server)?;
        let token = Token(self.connections.len());
        self.poll
            .registry()
            .register(connection.stream_mut(), token, Interest::READABLE | Interest::WRITABLE)
            .context("register a socket")?;
        connection.send(first)?;
        self.connections.push(connection);
        Ok(())
    }

    /// Sends bytes on one connection.
    pub(crate) fn send(&mut self, who: usize, bytes: &[u8]) -> Result<()> {
        match self.connections.get_mut(who) {
            Some(connection) => connection.send(bytes).with_context(|| format!("connection {who}")),
            None => bail!("there is no connection {who}"),
        }
    }

    /// Lets [`Fleet::turn`] wake at this rate; epoll's own timeouts are whole milliseconds.
    pub(crate) fn tick_every(&mut self, period: Duration) -> Result<()> {
        use rustix::time::{
            Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
        };
        let period = Timespec { tv_sec: i64::try_from(period.as_secs())?, tv_nsec: i64::from(period.subsec_nanos()) };
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let spec = Itimerspec { it_interval: period, it_value: period };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &spec)?;
        self.poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        self.timer = Some(timer);
        Ok(())
    }

    /// Waits for events, at most `wait`, and serves them all. Says how many timer periods have passed.
    ///
    /// A connection that the server closes, or that talks nonsense, ends the run: no figure is worth more than its
    /// weakest connection.
    pub(crate) fn turn(&mut self, driver: &mut impl Driver, wait: Duration) -> Result<u64> {
        let Self { poll, events, connections, buffer, out, timer, .. } = self;
        match poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(0),
            other => other.context("epoll")?,
        }
        let now = Instant::now();
        let mut ticks = 0;
        for event in events.iter() {
            let who = event.token().0;
            if event.token() == TIMER {
                ticks += read_timer(timer.as_ref())?;
                continue;
            }
            let Some(connection) = connections.get_mut(who) else {
                continue;
            };
            let mut serve = || -> Result<()> {
                if event.is_writable() {
                    connection.flush()?;
                }
                if event.is_readable() || event.is_error() {
                    out.clear();
                    connection.receive(buffer, |packet| driver.on_packet(who, packet, now, out))?;
                    if !out.is_empty() {
                        connection.send(out)?;
                    }
                }
                Ok(())
            };
            serve().with_context(|| format!("connection {who}"))?;
        }
        Ok(ticks)
    }

    /// Closes every socket, without a DISCONNECT, as fast as the kernel does it.
    pub(crate) fn leave(&mut self) {
        self.connections.clear();
        self.connections.shrink_to_fit();
    }
}

fn source(number: u32) -> IpAddr {
    // 127.1.0.1, 127.1.0.2, …
    IpAddr::V4(Ipv4Addr::from(0x7f01_0001 + number / CONNECTIONS_PER_SOURCE))
}

fn read_timer(timer: Option<&OwnedFd>) -> Result<u64> {
    let Some(timer) = timer else {
        return Ok(0);
    };
    let mut count = [0_u8; 8];
    match rustix::io::read(timer, &mut count) {
        Ok(_) => Ok(u64::from_ne_bytes(count)),
        Err(rustix::io::Errno::AGAIN) => Ok(0),
        Err(error) => Err(error).context("read the timer"),
    }
}

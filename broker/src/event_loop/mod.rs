//! One thread's loop: the kernel's side of it. It waits, accepts, and tells the [`Reactor`] which sockets are ready; what happens
//! then is there, without the kernel, so that tests can drive it on virtual time.

pub(crate) mod mailbox;
mod pages;
pub(crate) mod reactor;
mod wheel;

use std::io::ErrorKind;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::transport::Ready;
use crate::transport::socket::{Socket, Speaks};
use mailbox::WAKE;
use reactor::{Reactor, Shared};

/// Connections accepted in one turn, so that a flood of them does not hold up the others.
const ACCEPTS_PER_TURN: usize = 256;
/// Tokens of listeners end where `WAKE` is; connections count from 0.
const LISTENER_TOKENS: usize = usize::MAX - 1024;
/// Ready sockets told by one call of the kernel.
const EVENTS_PER_POLL: usize = 1024;

/// The loop.
pub(crate) struct EventLoop {
    poll: Poll,
    listeners: Vec<(TcpListener, Speaks)>,
    reactor: Reactor<Socket>,
    /// There may be more to accept.
    accepts: bool,
    /// The system had no descriptor left; tried again each second.
    accept_failed: bool,
}

impl EventLoop {
    /// Registers the listeners.
    pub(crate) fn new(poll: Poll, mut listeners: Vec<(TcpListener, Speaks)>, shared: Shared) -> std::io::Result<Self> {
        for (index, (listener, _)) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(LISTENER_TOKENS + index), Interest::READABLE)?;
        }
        Ok(Self { poll, listeners, reactor: Reactor::new(shared), accepts: false, accept_failed: false })
    }

    /// Runs until drained.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_PER_POLL);
        while !self.reactor.is_drained() {
            let wait_ms = if self.accepts { 0 } else { self.reactor.wait_ms() };
            if let Err(error) = self.poll.poll(&mut events, Some(Duration::from_millis(wait_ms)))
                && error.kind() != ErrorKind::Interrupted
            {
                tracing::error!(%error, "a loop cannot poll");
                return;
            }
            self.reactor.begin_turn();
            self.ready(&events);
            if self.reactor.is_draining() {
                // Dropped, they are closed.
                self.listeners.clear();
            } else if self.accepts || self.accept_failed && self.reactor.is_new_second() {
                self.accept();
            }
            self.reactor.end_turn();
        }
    }

    fn ready(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                WAKE => {}
                Token(token) if token >= LISTENER_TOKENS => self.accepts = true,
                Token(slot) => {
                    let ready = Ready {
                        is_readable: event.is_readable(),
                        is_writable: event.is_writable() || event.is_error(),
                        is_ended: event.is_read_closed() || event.is_error(),
                    };
                    self.reactor.on_ready(slot, ready);
                }
            }
        }
    }

    fn accept(&mut self) {
        (self.accepts, self.accept_failed) = (false, false);
        let mut accepted = 0;
        for index in 0..self.listeners.len() {
            while let Some((listener, speaks)) = self.listeners.get(index) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let speaks = speaks.clone();
                        self.enter(stream, &speaks);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // The peer gave up while it waited; the next one may be there.
                    Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept; tried again each second");
                        self.accept_failed = true;
                        break;
                    }
                }
                accepted += 1;
                if accepted >= ACCEPTS_PER_TURN {
                    self.accepts = true;
                    return;
                }
            }
        }
    }

    /// Takes a connection in; one beyond the bound is closed at once.
    fn enter(&mut self, mut stream: TcpStream, speaks: &Speaks) {
        let Some(slot) = self.reactor.free_slot() else { return };
        // Small packets are answered at once; a turn's worth is written in one call anyway.
        let registered = stream.set_nodelay(true).and_then(|()| {
            self.poll.registry().register(&mut stream, Token(slot), Interest::READABLE | Interest::WRITABLE)
        });
        match registered {
            Ok(()) => {
                self.reactor.enter(Socket::new(stream, speaks));
            }
            Err(error) => tracing::debug!(%error, "a connection was gone before it was taken in"),
        }
    }
}

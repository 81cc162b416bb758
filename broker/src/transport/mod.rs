//! What bytes come over: a layer under the connection's state machine that a loop drives without blocking.

#[cfg(feature = "simulation")]
pub(crate) mod memory;
pub(crate) mod socket;
pub(crate) mod tcp;
pub(crate) mod websocket;

use std::io;

/// What a transport is ready for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
    /// The peer ended or is gone; reading finds it behind what it sent.
    pub(crate) is_ended: bool,
}

/// One end of a byte stream. Edge-triggered: the loop remembers that there may be more until it is told that there is not.
pub(crate) trait Transport {
    /// Reads once. `None`: nothing for the connection, and [`is_readable`](Self::is_readable) says whether there may be more; 0 bytes: the
    /// peer ended.
    fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>>;

    /// Writes as far as there is room; how much was taken. An error means that the peer is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// The kernel says that reading or writing may get on, or that the peer ended.
    fn on_ready(&mut self, ready: Ready);

    /// Whether a read may find something.
    fn is_readable(&self) -> bool;

    /// Nothing more will be written; the peer may still send.
    fn end_output(&mut self);
}

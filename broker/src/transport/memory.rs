//! A byte stream in memory, for loops without the kernel.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Ready, Transport};

/// Both directions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) to_server: VecDeque<u8>,
    pub(crate) to_client: VecDeque<u8>,
    /// Bytes that `to_client` takes until the client reads; what a slow consumer looks like.
    pub(crate) room_bytes: usize,
    pub(crate) client_ended: bool,
    /// Without a word: what either side wrote and the other did not read is lost.
    pub(crate) is_cut: bool,
    pub(crate) server_ended: bool,
    pub(crate) server_gone: bool,
}

/// The server's end.
pub(crate) struct MemoryTransport {
    pipe: Arc<Mutex<Pipe>>,
    is_readable: bool,
}

pub(crate) fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryTransport {
    /// The server's end of a pipe.
    pub(crate) fn new(pipe: Arc<Mutex<Pipe>>) -> Self {
        Self { pipe, is_readable: false }
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        lock(&self.pipe).server_gone = true;
    }
}

impl Transport for MemoryTransport {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        let mut pipe = lock(&self.pipe);
        if pipe.is_cut {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let bytes = pipe.to_server.len().min(into.len());
        if bytes == 0 {
            self.is_readable = pipe.client_ended;
            return Ok(pipe.client_ended.then_some(0));
        }
        for (to, from) in into.iter_mut().zip(pipe.to_server.drain(..bytes)) {
            *to = from;
        }
        Ok(Some(bytes))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut pipe = lock(&self.pipe);
        if pipe.is_cut {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(pipe.room_bytes.saturating_sub(pipe.to_client.len()));
        pipe.to_client.extend(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn on_ready(&mut self, ready: Ready) {
        self.is_readable |= ready.is_readable || ready.is_ended;
    }

    fn is_readable(&self) -> bool {
        self.is_readable
    }

    fn end_output(&mut self) {
        lock(&self.pipe).server_ended = true;
    }
}

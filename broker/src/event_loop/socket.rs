//! A socket as a loop sees it, edge-triggered: readiness is remembered until the kernel says that there is no more.

use std::io::{ErrorKind, Read, Result, Write};

/// A connected socket.
pub(crate) struct Socket {
    pub(crate) stream: mio::net::TcpStream,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
}

impl Socket {
    /// A socket just accepted: worth writing to, not yet known to have anything to read.
    pub(crate) fn new(stream: mio::net::TcpStream) -> Self {
        Self { stream, is_readable: false, is_writable: true }
    }

    /// Reads once; `None`: nothing there now. 0 bytes: the peer ended.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        loop {
            match self.stream.read(into) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_readable = false;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl crate::session::Sink for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut written = 0;
        while self.is_writable
            && let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty())
        {
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

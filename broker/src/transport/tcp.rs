//! Plain TCP: listening sockets shared by every loop, and connected ones.

use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Ready, Transport};
use crate::BrokerError;

/// Connections the kernel keeps until they are accepted; it cuts to its own maximum.
const BACKLOG: i32 = 4096;

/// Listens on every address, without blocking.
pub(crate) fn listen_all(addresses: &[SocketAddr]) -> std::result::Result<Vec<TcpListener>, BrokerError> {
    addresses.iter().map(|&address| listen(address).map_err(|source| BrokerError::Listen { address, source })).collect()
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections' TIME-WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A connected socket.
pub(crate) struct TcpSocket {
    stream: mio::net::TcpStream,
    is_readable: bool,
    is_writable: bool,
    is_ended: bool,
}

impl TcpSocket {
    /// A socket just accepted: worth writing to, not yet known to have anything to read.
    pub(crate) fn new(stream: mio::net::TcpStream) -> Self {
        Self { stream, is_readable: false, is_writable: true, is_ended: false }
    }
}

impl Transport for TcpSocket {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        loop {
            match self.stream.read(into) {
                Ok(bytes) => {
                    // Less than was asked for: the kernel has no more and says so when it has (epoll(7)); but the end was said already.
                    self.is_readable = bytes == into.len() || self.is_ended;
                    return Ok(Some(bytes));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_readable = false;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

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

    fn on_ready(&mut self, ready: Ready) {
        self.is_readable |= ready.is_readable || ready.is_ended;
        self.is_writable |= ready.is_writable;
        self.is_ended |= ready.is_ended;
    }

    fn is_readable(&self) -> bool {
        self.is_readable
    }

    fn end_output(&mut self) {
        // A peer that is gone needs no FIN.
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

//! Plain TCP: listening sockets shared by every loop.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::BrokerError;

/// Connections the kernel keeps until they are accepted; it cuts to its own maximum.
const BACKLOG: i32 = 4096;

/// Listens on every address, without blocking.
pub(crate) fn listen_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BrokerError> {
    addresses.iter().map(|&address| listen(address).map_err(|source| BrokerError::Listen { address, source })).collect()
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections' TIME-WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

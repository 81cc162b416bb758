//! One client connection: socket, what is not yet a whole packet, what could not be written yet.
//!
//! It holds almost nothing, since 19,500 of them share a machine with the server under test.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use super::wire::{self, Packet};

/// A connection of the load client.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The beginning of a packet whose rest has not arrived.
    partial: Vec<u8>,
    /// What the kernel would not take.
    unsent: Vec<u8>,
}

impl Connection {
    /// Starts to connect from `source`; on loopback that is as good as done.
    pub(crate) fn open(source: IpAddr, server: SocketAddr) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).context("new socket")?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::new(source, 0).into()).with_context(|| format!("bind to {source}"))?;
        match socket.connect(&server.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(error).with_context(|| format!("connect to {server}")),
        }
        Ok(Self { stream: TcpStream::from_std(socket.into()), partial: Vec::new(), unsent: Vec::new() })
    }

    /// The socket, for the poll.
    pub(crate) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends `bytes`, keeping what the kernel does not take for [`Connection::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let written = write_some(&mut self.stream, bytes)?;
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Sends what was left over; called when the socket is writable.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let written = write_some(&mut self.stream, &self.unsent)?;
        self.unsent.drain(..written);
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        Ok(())
    }

    /// Reads all that is there through `buffer` and hands on every whole packet.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        mut on_packet: impl FnMut(Packet<'_>) -> Result<()>,
    ) -> Result<()> {
        loop {
            let held = self.partial.len();
            if held >= buffer.len() {
                bail!("a packet of more than {held} bytes");
            }
            buffer[..held].copy_from_slice(&self.partial);
            let space = buffer.len() - held;
            let got = match self.stream.read(&mut buffer[held..]) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("read"),
            };
            let mut rest = &buffer[..held + got];
            while let Some((packet, used)) =
                wire::read(rest).map_err(|error| anyhow::anyhow!("bad MQTT: {}", error.0))?
            {
                on_packet(packet)?;
                rest = &rest[used..];
            }
            keep(&mut self.partial, rest);
            // A short read has drained the socket (epoll(7)): no second call to hear "would block".
            if got < space {
                return Ok(());
            }
        }
    }
}

fn keep(partial: &mut Vec<u8>, rest: &[u8]) {
    if rest.is_empty() {
        *partial = Vec::new();
    } else {
        partial.clear();
        partial.extend_from_slice(rest);
    }
}

fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => bail!("the socket takes nothing"),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // Not connected yet: the writable event that follows sends it.
            Err(error) if error.kind() == ErrorKind::NotConnected => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("write"),
        }
    }
    Ok(written)
}

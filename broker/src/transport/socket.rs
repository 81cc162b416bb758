//! A connected socket of any listener. What most connections have, plain TCP, costs no indirection.

use std::io::Result;

use mio::net::TcpStream;

use super::tcp::TcpSocket;
use super::websocket::{Origins, WebSocket};
use super::{Ready, Transport};

/// What a listener speaks.
#[derive(Clone, Debug)]
pub(crate) enum Speaks {
    /// MQTT over TCP.
    Mqtt,
    /// MQTT over WebSocket.
    WebSocket(Origins),
}

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpSocket),
    WebSocket(Box<WebSocket<TcpSocket>>),
}

impl Socket {
    /// Of a connection that such a listener accepted.
    pub(crate) fn new(stream: TcpStream, speaks: &Speaks) -> Self {
        let tcp = TcpSocket::new(stream);
        match speaks {
            Speaks::Mqtt => Self::Tcp(tcp),
            Speaks::WebSocket(origins) => Self::WebSocket(Box::new(WebSocket::opening(tcp, origins.clone()))),
        }
    }

    fn transport(&mut self) -> &mut dyn Transport {
        match self {
            Self::Tcp(tcp) => tcp,
            Self::WebSocket(socket) => socket.as_mut(),
        }
    }
}

impl Transport for Socket {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        self.transport().read(into)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.transport().write(bytes)
    }

    fn on_ready(&mut self, ready: Ready) {
        self.transport().on_ready(ready);
    }

    fn is_readable(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_readable(),
            Self::WebSocket(socket) => socket.is_readable(),
        }
    }

    fn end_output(&mut self) {
        self.transport().end_output();
    }
}

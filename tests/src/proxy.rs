//! Stands between clients and the server, writes down what clients publish, and cuts connections where a test says so.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::net::sockopt::set_tcp_cork;
use talaria_codec::{Frame, frame};

use crate::PATIENCE;

/// Where the next publish of a client ends its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The server never sees it.
    Before,
    /// The server gets it together with the end of the stream: it is read, and no answer to it can be written.
    WithIt,
    /// The server has answered, and the client never sees the answer.
    AfterAnswer,
}

/// A PUBLISH as a client sent it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its DUP bit.
    pub dup: bool,
    /// 0 where QoS is 0.
    pub packet_id: u16,
    /// Its topic.
    pub topic: String,
}

/// A proxy; ends with the test's process.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    cuts: Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    cut: Sender<()>,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    armed: Option<Cut>,
    seen: Vec<Seen>,
}

impl Proxy {
    /// Before that server.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, cuts) = channel();
        let shared = Arc::new(Shared { state: Mutex::new(State { server, armed: None, seen: Vec::new() }), cut });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { address, shared, cuts }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections from now on go to that server.
    pub fn turn_to(&self, server: SocketAddr) {
        self.shared.state().server = server;
    }

    /// The next publish of any client is cut; those after it pass.
    pub fn cut_next(&self, cut: Cut) {
        self.shared.state().armed = Some(cut);
    }

    /// Waits until a connection was cut.
    ///
    /// # Panics
    /// None was in time.
    pub fn wait_for_cut(&self) {
        self.cuts.recv_timeout(PATIENCE).expect("no publish came to be cut");
    }

    /// Every publish that came from clients, those cut off included.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until one of the two ends.
    fn serve(&self, client: TcpStream) {
        let server = self.state().server;
        // A server that is down is, to the client, a connection that ends.
        let Ok(server) = TcpStream::connect(server) else { return };
        let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (said, answers) = channel();
        let is_mute = Arc::new(AtomicBool::new(false));
        let muted = Arc::clone(&is_mute);
        let back = thread::spawn(move || pass_back(from_server, to_client, &said, &muted));
        // An error is an end like any other.
        let _ = self.pass_on(client, server, &Back { answers, is_mute });
        let _ = back.join();
    }

    /// From the client to the server, packet by packet.
    fn pass_on(&self, mut client: TcpStream, mut server: TcpStream, back: &Back) -> std::io::Result<()> {
        let (mut input, mut bytes) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let read = client.read(&mut bytes)?;
            if read == 0 {
                return server.shutdown(Shutdown::Write);
            }
            input.extend_from_slice(&bytes[..read]);
            loop {
                let packet_bytes = match frame(&input, usize::MAX) {
                    Ok(Frame::Complete { packet_bytes }) => packet_bytes,
                    Ok(Frame::NeedMore { .. }) => break,
                    // No packet; the server is to say so.
                    Err(_) => input.len(),
                };
                let packet: Vec<u8> = input.drain(..packet_bytes).collect();
                match self.cut_of(&packet) {
                    None => server.write_all(&packet)?,
                    Some(cut) => return self.cut(cut, &packet, &client, server, back),
                }
            }
        }
    }

    /// Writes a publish down, and says whether its connection ends with it.
    fn cut_of(&self, packet: &[u8]) -> Option<Cut> {
        let seen = Seen::of(packet)?;
        let mut state = self.state();
        state.seen.push(seen);
        state.armed.take()
    }

    fn cut(
        &self,
        cut: Cut,
        packet: &[u8],
        client: &TcpStream,
        mut server: TcpStream,
        back: &Back,
    ) -> std::io::Result<()> {
        match cut {
            Cut::Before => {}
            Cut::WithIt => {
                // Corked, packet and end travel in one segment: the server cannot see one without the other.
                set_tcp_cork(&server, true)?;
                server.write_all(packet)?;
            }
            Cut::AfterAnswer => {
                back.is_mute.store(true, Ordering::SeqCst);
                while back.answers.try_recv().is_ok() {}
                server.write_all(packet)?;
                back.answers.recv_timeout(PATIENCE).map_err(|_| std::io::Error::from(ErrorKind::TimedOut))?;
            }
        }
        // The server first: a client that is cut off comes back at once, and takes its session over.
        server.shutdown(Shutdown::Write)?;
        // The server's end may have reached it already.
        let _ = client.shutdown(Shutdown::Both);
        // Whoever made the test may not wait for it.
        let _ = self.cut.send(());
        Ok(())
    }
}

/// The way from the server to the client, as the way there sees it.
struct Back {
    /// One each time the server said something.
    answers: Receiver<()>,
    /// The client is to hear no more of it.
    is_mute: Arc<AtomicBool>,
}

/// From the server to the client; goes on reading when the client is gone.
fn pass_back(mut server: TcpStream, mut client: TcpStream, said: &Sender<()>, is_mute: &AtomicBool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read) = server.read(&mut bytes) {
        if read == 0 {
            break;
        }
        // Where nobody listens, what the server says only counts.
        if !is_mute.load(Ordering::SeqCst) {
            let _ = client.write_all(&bytes[..read]);
        }
        let _ = said.send(());
    }
    let _ = client.shutdown(Shutdown::Both);
}

impl Seen {
    /// Of a PUBLISH; `None` of any other packet.
    fn of(packet: &[u8]) -> Option<Self> {
        let (first, rest) = packet.split_first()?;
        if first >> 4 != 3 {
            return None;
        }
        let length_bytes = 1 + rest.iter().take_while(|byte| **byte >= 0x80).count();
        let (topic_bytes, rest) = rest.get(length_bytes..)?.split_first_chunk()?;
        let (topic, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*topic_bytes)))?;
        let has_id = first >> 1 & 3 > 0;
        let packet_id = if has_id { u16::from_be_bytes(*rest.first_chunk()?) } else { 0 };
        Some(Self { dup: first & 8 > 0, packet_id, topic: String::from_utf8_lossy(topic).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_is_seen_with_dup_and_packet_id() {
        let seen = Seen::of(&[0x3A, 6, 0, 1, b'a', 0, 7, b'x']).unwrap();
        assert_eq!(seen, Seen { dup: true, packet_id: 7, topic: "a".to_owned() });
        assert_eq!(Seen::of(&[0x30, 4, 0, 1, b'a', b'x']).unwrap().packet_id, 0);
        assert_eq!(Seen::of(&[0xC0, 0]), None);
    }
}

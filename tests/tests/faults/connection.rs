//! One MQTT connection of a load client: blocking, with a deadline for each wait.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use talaria_codec::{
    Ack, Connect, Direction, Disconnect, Frame, Packet, Publish, QoS, ReasonCode, Subscribe, SubscribeFilter,
    SubscribeOptions, Version, decode, frame,
};
use talaria_core::limits::SESSION_EXPIRY_S_MAX;
use talaria_tests::{PATIENCE, Person};

/// One read takes at most this.
const READ_BYTES: usize = 64 * 1024;

/// Whose session it is and how it connects.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) person: Person,
    pub(crate) client_id: String,
    pub(crate) version: Version,
    /// Whether the session outlives the connection.
    pub(crate) is_kept: bool,
    /// Deliveries that may be unanswered; 5.0 only.
    pub(crate) receive_maximum: Option<NonZeroU16>,
}

/// What the server sends, as far as these tests read it.
#[derive(Debug)]
pub(crate) enum Incoming {
    Publish {
        topic: String,
        packet_id: Option<NonZeroU16>,
        payload: Vec<u8>,
    },
    /// PUBACK, or the PUBREC of a QoS 2 publish.
    Acknowledged {
        packet_id: NonZeroU16,
        reason: ReasonCode,
        is_pubrec: bool,
        /// Id and seq of the event, where the version has room for them.
        place: Option<(u64, u64)>,
    },
    PubComp(NonZeroU16),
    SubAck(Vec<ReasonCode>),
    Disconnect,
    PingResp,
}

/// Why there is no more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Closed, reset, or not there.
    Gone,
    /// CONNACK with this reason.
    Refused(ReasonCode),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    version: Version,
    input: Vec<u8>,
    out: Vec<u8>,
    buffer: Vec<u8>,
    /// CONNACK said that the session was there.
    pub(crate) session_present: bool,
}

impl Connection {
    /// Connects and logs in.
    pub(crate) fn open(server: SocketAddr, login: &Login) -> Result<Self, End> {
        let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut connection = Self {
            stream,
            version: login.version,
            input: Vec::new(),
            out: Vec::new(),
            buffer: vec![0; READ_BYTES],
            session_present: false,
        };
        connection.put(&Packet::Connect(connect(login)));
        connection.flush()?;
        let until = Instant::now() + PATIENCE;
        while !connection.is_whole() {
            assert!(Instant::now() < until, "no CONNACK in time");
            connection.fill(until)?;
        }
        let (reason, session_present) = connection.take(|packet| match packet {
            Packet::ConnAck(connack) => (connack.reason, connack.session_present),
            other => panic!("before CONNACK: {other:?}"),
        });
        connection.session_present = session_present;
        if reason == ReasonCode::Success { Ok(connection) } else { Err(End::Refused(reason)) }
    }

    /// The next packet; `None` when none came in that time.
    pub(crate) fn next(&mut self, wait: Duration) -> Result<Option<Incoming>, End> {
        let until = Instant::now() + wait;
        while !self.is_whole() {
            if !self.fill(until)? {
                return Ok(None);
            }
        }
        Ok(Some(self.take(|packet| incoming(&packet))))
    }

    /// Puts a packet with what [`flush`](Self::flush) sends.
    pub(crate) fn put(&mut self, packet: &Packet<'_>) {
        packet.encode(self.version, &mut self.out).unwrap();
    }

    pub(crate) fn put_publish(&mut self, publish: &Publish<'_>) {
        self.put(&Packet::Publish(*publish));
    }

    pub(crate) fn put_puback(&mut self, packet_id: NonZeroU16) {
        self.put(&Packet::PubAck(Ack::success(packet_id)));
    }

    pub(crate) fn put_pubrel(&mut self, packet_id: NonZeroU16) {
        self.put(&Packet::PubRel(Ack::success(packet_id)));
    }

    pub(crate) fn flush(&mut self) -> Result<(), End> {
        let sent = self.stream.write_all(&self.out);
        self.out.clear();
        Ok(sent?)
    }

    /// SUBSCRIBE at QoS 1 and its SUBACK; what else comes meanwhile goes to `other`.
    pub(crate) fn subscribe(&mut self, filter: &str, mut other: impl FnMut(Incoming)) -> Result<(), End> {
        let options = SubscribeOptions { qos: QoS::AtLeastOnce, ..SubscribeOptions::default() };
        let filters = [SubscribeFilter { filter, options }];
        let filters = filters.as_slice().into();
        self.put(&Packet::Subscribe(Subscribe {
            packet_id: NonZeroU16::MAX,
            properties: talaria_codec::SubscribeProperties::default(),
            filters,
        }));
        self.flush()?;
        loop {
            match self.next(PATIENCE)? {
                Some(Incoming::SubAck(reasons)) => {
                    assert_eq!(reasons, [ReasonCode::GrantedQoS1], "{filter}");
                    return Ok(());
                }
                Some(incoming) => other(incoming),
                None => panic!("no SUBACK in time"),
            }
        }
    }

    /// DISCONNECT, then the end of the socket.
    pub(crate) fn close(mut self) {
        self.put(&Packet::Disconnect(Disconnect::default()));
        // Where the server is gone already, so is the connection.
        let _ = self.flush();
    }

    fn is_whole(&self) -> bool {
        matches!(frame(&self.input, usize::MAX), Ok(Frame::Complete { .. }))
    }

    /// Reads once; false when nothing came until then.
    fn fill(&mut self, until: Instant) -> Result<bool, End> {
        let left = until.saturating_duration_since(Instant::now());
        // A timeout of zero would mean none.
        self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Err(End::Gone),
            Ok(bytes) => {
                self.input.extend_from_slice(&self.buffer[..bytes]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn take<T>(&mut self, read: impl FnOnce(Packet<'_>) -> T) -> T {
        let Ok(Frame::Complete { packet_bytes }) = frame(&self.input, usize::MAX) else { panic!("no whole packet") };
        let taken = read(decode(&self.input[..packet_bytes], self.version, Direction::ToClient).unwrap());
        self.input.drain(..packet_bytes);
        taken
    }
}

fn connect(login: &Login) -> Connect<'_> {
    let mut connect = Connect::new(login.version, &login.client_id);
    connect.clean_start = !login.is_kept;
    connect.username = Some(&login.person.id);
    connect.password = Some(login.person.token.as_bytes());
    if login.version == Version::V5 {
        connect.properties.session_expiry_interval = login.is_kept.then_some(SESSION_EXPIRY_S_MAX);
        connect.properties.receive_maximum = login.receive_maximum;
    }
    connect
}

fn incoming(packet: &Packet<'_>) -> Incoming {
    match packet {
        Packet::Publish(publish) => Incoming::Publish {
            topic: publish.topic.to_owned(),
            packet_id: publish.packet_id,
            payload: publish.payload.to_vec(),
        },
        Packet::PubAck(ack) => acknowledged(ack, false),
        Packet::PubRec(ack) => acknowledged(ack, true),
        Packet::PubComp(ack) => Incoming::PubComp(ack.packet_id),
        Packet::SubAck(suback) => Incoming::SubAck(suback.reasons.iter().collect()),
        Packet::Disconnect(_) => Incoming::Disconnect,
        Packet::PingResp => Incoming::PingResp,
        other => panic!("not expected: {other:?}"),
    }
}

fn acknowledged(ack: &Ack<'_>, is_pubrec: bool) -> Incoming {
    let number = |name| ack.properties.user_properties.get(name).map(|value| value.parse().unwrap());
    let place = number("id").zip(number("seq"));
    Incoming::Acknowledged { packet_id: ack.packet_id, reason: ack.reason, is_pubrec, place }
}

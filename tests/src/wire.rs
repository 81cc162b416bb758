//! A bare MQTT connection: the test decides every byte, and sees every packet.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::num::NonZeroU16;

use serde_json::Value;
use talaria_codec::{
    Ack, Connect, Direction, Disconnect, Frame, Packet, Publish, PublishProperties, QoS, ReasonCode, Subscribe,
    SubscribeFilter, SubscribeOptions, SubscribeProperties, Version, decode, frame,
};

use crate::PATIENCE;
use crate::home::Person;

/// Both versions, for tests that hold for each.
pub const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// A connection. Dropped, it ends without DISCONNECT.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    version: Version,
    input: Vec<u8>,
    /// Read while something else was looked for, in their order.
    answers: VecDeque<Received>,
    deliveries: VecDeque<Delivery>,
}

/// A packet of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// As it came.
    pub bytes: Vec<u8>,
    version: Version,
}

/// A PUBLISH of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its DUP bit.
    pub dup: bool,
    /// 0 or 1, in `signal/` also 2.
    pub qos: QoS,
    /// Its RETAIN bit.
    pub retain: bool,
    /// Where QoS is above 0.
    pub packet_id: Option<NonZeroU16>,
    /// As the filter spelled it.
    pub topic: String,
    /// What was delivered.
    pub payload: Vec<u8>,
}

/// A CONNECT with that person's name and token; the rest is the caller's to change.
pub fn connect_of<'a>(version: Version, person: &'a Person, client_id: &'a str) -> Connect<'a> {
    Connect {
        username: Some(&person.handle),
        password: Some(person.token.as_bytes()),
        ..Connect::new(version, client_id)
    }
}

/// The same for a session that is kept.
pub fn keeping<'a>(version: Version, person: &'a Person, client_id: &'a str) -> Connect<'a> {
    let mut connect = connect_of(version, person, client_id);
    connect.clean_start = false;
    if version == Version::V5 {
        connect.properties.session_expiry_interval = Some(3600);
    }
    connect
}

/// A packet id.
pub fn packet_id(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

impl Wire {
    /// Connects and sends nothing.
    pub fn open(server: SocketAddr, version: Version) -> Self {
        let stream = TcpStream::connect_timeout(&server, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, version, input: Vec::new(), answers: VecDeque::new(), deliveries: VecDeque::new() }
    }

    /// Connects, sends CONNECT and returns what CONNACK says beside it.
    pub fn connect(server: SocketAddr, connect: &Connect<'_>) -> (Self, Received) {
        let mut wire = Self::open(server, connect.version);
        wire.put(&Packet::Connect(*connect));
        let answer = wire.answer();
        (wire, answer)
    }

    /// The same, where it must succeed; whether the session was there.
    #[track_caller]
    pub fn log_in(server: SocketAddr, connect: &Connect<'_>) -> (Self, bool) {
        let (wire, answer) = Self::connect(server, connect);
        match answer.packet() {
            Packet::ConnAck(ack) if ack.reason == ReasonCode::Success => (wire, ack.session_present),
            other => panic!("no login: {other:?}"),
        }
    }

    /// A clean session that has its inbox at QoS 1.
    #[track_caller]
    pub fn listening(server: SocketAddr, version: Version, person: &Person, client_id: &str) -> Self {
        let (mut wire, _) = Self::log_in(server, &connect_of(version, person, client_id));
        wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
        wire
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends what may find the connection closed on the way.
    pub fn send_if_open(&mut self, bytes: &[u8]) {
        // What the server did is told by what it says.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a packet.
    #[track_caller]
    pub fn put(&mut self, packet: &Packet<'_>) {
        let bytes = encode(packet, self.version);
        self.send(&bytes);
    }

    /// The next packet, whatever it is; `None` at the end of the stream.
    ///
    /// # Panics
    /// Nothing came in time, or something that is no packet.
    #[track_caller]
    pub fn received(&mut self) -> Option<Received> {
        loop {
            if let Frame::Complete { packet_bytes } = frame(&self.input, usize::MAX).unwrap() {
                let bytes = self.input.drain(..packet_bytes).collect();
                return Some(Received { bytes, version: self.version });
            }
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => {
                    assert!(self.input.is_empty(), "the stream ends inside a packet: {:02x?}", self.input);
                    return None;
                }
                Ok(read) => self.input.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// The next packet that is no PUBLISH.
    #[track_caller]
    pub fn answer(&mut self) -> Received {
        if let Some(answer) = self.answers.pop_front() {
            return answer;
        }
        loop {
            let received = self.received().expect("an answer, and the connection ended");
            match received.delivery() {
                Some(delivery) => self.deliveries.push_back(delivery),
                None => return received,
            }
        }
    }

    /// The next PUBLISH, unacknowledged.
    #[track_caller]
    pub fn delivery(&mut self) -> Delivery {
        if let Some(delivery) = self.deliveries.pop_front() {
            return delivery;
        }
        loop {
            let received = self.received().expect("a delivery, and the connection ended");
            match received.delivery() {
                Some(delivery) => return delivery,
                None => self.answers.push_back(received),
            }
        }
    }

    /// The next PUBLISH, acknowledged.
    #[track_caller]
    pub fn take(&mut self) -> Delivery {
        let delivery = self.delivery();
        self.acknowledge(&delivery);
        delivery
    }

    /// PUBLISHes that came before the last answer and were not looked at yet.
    pub fn waiting(&self) -> usize {
        self.deliveries.len()
    }

    /// The `text` of the next messages, acknowledged; other events are passed over.
    #[track_caller]
    pub fn take_texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let event = self.take().json();
            if event["type"] == "message" {
                texts.push(event["text"].as_str().unwrap().to_owned());
            }
        }
        texts
    }

    /// PUBACK for it, where it wants one.
    #[track_caller]
    pub fn acknowledge(&mut self, delivery: &Delivery) {
        if let Some(packet_id) = delivery.packet_id {
            self.put(&Packet::PubAck(Ack::success(packet_id)));
        }
    }

    /// Subscribes, and what was granted.
    #[track_caller]
    pub fn subscribe(&mut self, filter: &str, qos: QoS) -> ReasonCode {
        let filters = [SubscribeFilter { filter, options: SubscribeOptions { qos, ..SubscribeOptions::default() } }];
        self.put(&Packet::Subscribe(Subscribe {
            packet_id: packet_id(1),
            properties: SubscribeProperties::default(),
            filters: filters[..].into(),
        }));
        match self.answer().packet() {
            Packet::SubAck(ack) => ack.reasons.iter().next().unwrap(),
            other => panic!("no SUBACK: {other:?}"),
        }
    }

    /// Publishes at QoS 1 and waits for the PUBACK.
    #[track_caller]
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> Received {
        self.put(&Packet::Publish(publish_of(topic, payload, 1)));
        self.answer()
    }

    /// The same, where it must succeed.
    #[track_caller]
    pub fn say(&mut self, topic: &str, payload: &str) {
        let answer = self.publish(topic, payload.as_bytes());
        assert_eq!(answer.ack_reason(), ReasonCode::Success);
    }

    /// Asks for a PINGRESP and waits for it.
    #[track_caller]
    pub fn ping(&mut self) {
        self.put(&Packet::PingReq);
        assert_eq!(self.answer().packet(), Packet::PingResp);
    }

    /// DISCONNECT, then waits until the server has closed too.
    #[track_caller]
    pub fn leave(mut self) {
        self.put(&Packet::Disconnect(Disconnect::with_reason(ReasonCode::Success)));
        while self.received().is_some() {}
    }

    /// Ends without a word, and waits until the server has closed too.
    pub fn break_off(mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        while self.received().is_some() {}
    }

    /// The socket alone; nothing more is read from it.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// That the server closes now, without another packet.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let last = self.received();
        assert_eq!(last.as_ref().map(Received::packet), None);
    }
}

/// A PUBLISH at QoS 1 with that packet id.
pub fn publish_of<'a>(topic: &'a str, payload: &'a [u8], id: u16) -> Publish<'a> {
    Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic,
        packet_id: Some(packet_id(id)),
        properties: PublishProperties::default(),
        payload,
    }
}

/// The bytes of a packet.
#[track_caller]
pub fn encode(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes
}

impl Received {
    /// What it says.
    #[track_caller]
    pub fn packet(&self) -> Packet<'_> {
        decode(&self.bytes, self.version, Direction::ToClient).unwrap()
    }

    /// The reason of a PUBACK, PUBREC or PUBCOMP.
    #[track_caller]
    pub fn ack_reason(&self) -> ReasonCode {
        match self.packet() {
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubComp(ack) => ack.reason,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    fn delivery(&self) -> Option<Delivery> {
        let Packet::Publish(publish) = self.packet() else { return None };
        Some(Delivery {
            dup: publish.dup,
            qos: publish.qos,
            retain: publish.retain,
            packet_id: publish.packet_id,
            topic: publish.topic.to_owned(),
            payload: publish.payload.to_vec(),
        })
    }
}

impl Delivery {
    /// The event.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

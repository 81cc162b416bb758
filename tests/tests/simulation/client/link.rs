//! A client's end of one connection: bytes, frames, and what must be known of it afterwards.

use std::collections::{BTreeSet, VecDeque};

use talaria_broker::simulation::Wire;
use talaria_codec::{Direction, Frame, Packet, Publish, QoS, Version, decode, frame};
use talaria_core::ConversationId;

/// After a removal was answered, nothing of the channel that lay before it is written to the removed (INV-5).
pub(crate) struct Barrier {
    pub(crate) conversation: ConversationId,
    /// The seq at which the membership ended.
    pub(crate) left_seq: u64,
    /// From which byte of the stream on. `None` while bytes written before may wait behind a full wire.
    pub(crate) from: Option<u64>,
}

/// What became of the answers to what a connection sent.
#[derive(Default, Debug)]
pub(crate) struct Fate {
    /// Packet ids whose PUBACK or PUBREC was written, read or not.
    answered: BTreeSet<u16>,
    /// More may have been written.
    is_unclear: bool,
    /// The client ended it with DISCONNECT.
    pub(crate) is_clean: bool,
}

impl Fate {
    /// Whether an answer to that packet id may have been written.
    pub(crate) fn may_have_answered(&self, packet_id: u16) -> bool {
        self.is_unclear || self.answered.contains(&packet_id)
    }
}

/// Where a connection leads to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Counted over the round.
    pub(crate) number: u64,
    pub(crate) on_loop: usize,
    /// Which process.
    pub(crate) incarnation: u64,
}

/// A packet for people.
pub(crate) fn told(packet: &Packet<'_>) -> String {
    match packet {
        Packet::Publish(publish) => {
            let Publish { dup, qos, topic, packet_id, payload, .. } = publish;
            let payload = String::from_utf8_lossy(payload);
            format!("PUBLISH {topic} {qos:?} dup {dup} {packet_id:?} {payload:.160}")
        }
        Packet::PubAck(ack) => format!("PUBACK {} {:?}", ack.packet_id, ack.reason),
        Packet::PubRec(ack) => format!("PUBREC {} {:?}", ack.packet_id, ack.reason),
        Packet::PubRel(ack) => format!("PUBREL {} {:?}", ack.packet_id, ack.reason),
        Packet::PubComp(ack) => format!("PUBCOMP {} {:?}", ack.packet_id, ack.reason),
        Packet::ConnAck(connack) => format!("CONNACK {:?} present {}", connack.reason, connack.session_present),
        Packet::Connect(connect) => format!("CONNECT {} clean {}", connect.client_id, connect.clean_start),
        other => format!("{other:?}"),
    }
}

pub(crate) struct Link {
    pub(crate) wire: Wire,
    pub(crate) number: u64,
    pub(crate) on_loop: usize,
    /// Of the process that it leads to.
    pub(crate) incarnation: u64,
    pub(crate) version: Version,
    pub(crate) room_bytes: usize,
    pub(crate) is_clean_start: bool,
    pub(crate) is_live: bool,
    pub(crate) has_disconnected: bool,
    pub(crate) is_cut: bool,
    /// It goes on reading and acknowledging although a later connection took its place.
    pub(crate) is_zombie: bool,
    /// Deliveries that it did not acknowledge.
    pub(crate) outstanding: VecDeque<u16>,
    /// Acknowledgements that it has not sent yet.
    pub(crate) acks: VecDeque<u16>,
    /// Publishes in their order, until answered.
    pub(crate) publishes: VecDeque<(QoS, u16)>,
    /// Packet ids of answers that came to a zombie, which does not count them.
    pub(crate) unheard: BTreeSet<u16>,
    /// Packet ids of 3.1.1 publishes that were rejected.
    pub(crate) rejected: Vec<u16>,
    pub(crate) barriers: Vec<Barrier>,
    pub(crate) fate: Option<Fate>,
    /// Its fate was taken into account.
    pub(crate) is_accounted_for: bool,
    /// The session that it serves, by its place among those of its client.
    pub(crate) sight: usize,
    /// It has done what it came for.
    pub(crate) is_done: bool,
    pub(crate) is_traced: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    received_bytes: u64,
    is_full: bool,
}

impl Link {
    pub(crate) fn new(wire: Wire, place: Place, version: Version, room_bytes: usize) -> Self {
        Self {
            wire,
            number: place.number,
            on_loop: place.on_loop,
            incarnation: place.incarnation,
            version,
            room_bytes,
            is_clean_start: false,
            is_live: false,
            has_disconnected: false,
            is_cut: false,
            is_zombie: false,
            outstanding: VecDeque::new(),
            acks: VecDeque::new(),
            publishes: VecDeque::new(),
            unheard: BTreeSet::new(),
            rejected: Vec::new(),
            barriers: Vec::new(),
            fate: None,
            is_accounted_for: false,
            sight: 0,
            is_done: false,
            is_traced: false,
            input: Vec::new(),
            output: Vec::new(),
            received_bytes: 0,
            is_full: false,
        }
    }

    /// Puts a packet where bytes wait to be sent.
    pub(crate) fn write(&mut self, packet: &Packet<'_>) {
        if self.is_traced {
            println!("    link {} sends {}", self.number, told(packet));
        }
        packet.encode(self.version, &mut self.output).unwrap();
    }

    /// Sends up to that many bytes; how many.
    pub(crate) fn push(&mut self, bytes_max: usize) -> usize {
        let bytes = self.output.len().min(bytes_max);
        self.wire.send(&self.output[..bytes]);
        self.output.drain(..bytes);
        bytes
    }

    /// Receives up to that many bytes; how many.
    pub(crate) fn pull(&mut self, bytes_max: usize) -> usize {
        let before = self.input.len();
        self.wire.receive(bytes_max, &mut self.input);
        let bytes = self.input.len() - before;
        self.received_bytes += bytes as u64;
        bytes
    }

    /// The next whole packet, with the place of its first byte in the stream.
    pub(crate) fn next_packet(&mut self) -> Option<(u64, Vec<u8>)> {
        match frame(&self.input, usize::MAX).unwrap() {
            Frame::NeedMore { .. } => None,
            Frame::Complete { packet_bytes } => {
                let place = self.received_bytes - self.input.len() as u64;
                Some((place, self.input.drain(..packet_bytes).collect()))
            }
        }
    }

    /// Whether nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        self.wire.is_ended()
    }

    /// To be called after each turn of its loop, and of no other: before its turn, what waits behind the wire goes nowhere.
    pub(crate) fn after_turn(&mut self) {
        let waiting = self.wire.waiting_bytes();
        self.is_full = waiting >= self.room_bytes;
        if !self.is_full {
            let written = self.received_bytes + waiting as u64;
            self.barriers.iter_mut().for_each(|barrier| barrier.from = barrier.from.or(Some(written)));
        }
    }

    /// A removal was answered.
    pub(crate) fn forbid(&mut self, conversation: ConversationId, left_seq: u64) {
        let written = self.received_bytes + self.wire.waiting_bytes() as u64;
        let from = (!self.is_full).then_some(written);
        self.barriers.push(Barrier { conversation, left_seq, from });
    }

    /// Looks at all that the server wrote so far, as nobody on the spot could.
    pub(crate) fn learn_fate(&mut self) {
        if self.fate.is_some() {
            return;
        }
        self.pull(usize::MAX);
        let answered = std::mem::take(&mut self.unheard);
        let mut fate = Fate { answered, is_unclear: self.is_full, is_clean: self.has_disconnected };
        let mut rest = &self.input[..];
        while let Ok(Frame::Complete { packet_bytes }) = frame(rest, usize::MAX) {
            let (packet, behind) = rest.split_at(packet_bytes);
            if let Ok(Packet::PubAck(ack) | Packet::PubRec(ack)) = decode(packet, self.version, Direction::ToClient) {
                fate.answered.insert(ack.packet_id.get());
            }
            rest = behind;
        }
        fate.is_unclear |= !rest.is_empty();
        self.fate = Some(fate);
    }

    /// The network is cut, wherever a packet stands.
    pub(crate) fn cut(&mut self) {
        if self.is_cut {
            return;
        }
        self.learn_fate();
        if self.is_traced {
            println!("    link {} is cut, {:?}", self.number, self.fate);
        }
        self.is_cut = true;
        self.wire.cut();
    }

    /// A later connection comes. Where the server does not know by then that this one was cut, it cannot know what was not written.
    pub(crate) fn doubt(&mut self) {
        if self.is_cut
            && !self.wire.is_let_go()
            && let Some(fate) = &mut self.fate
        {
            fate.is_unclear = true;
        }
    }

    /// Says DISCONNECT and ends.
    pub(crate) fn disconnect(&mut self) {
        self.write(&Packet::Disconnect(talaria_codec::Disconnect::default()));
        self.has_disconnected = true;
        self.push(usize::MAX);
        self.wire.end();
    }
}

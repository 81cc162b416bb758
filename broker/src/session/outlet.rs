//! What goes to the client: packets into the connection's buffer.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use talaria_codec::{
    Ack, ConnAck, ConnAckProperties, Disconnect, Packet, QoS, ReasonCode, SubAck, UnsubAck, Version, encode_publish,
};
use talaria_core::ConversationId;
use talaria_core::limits::{INBOUND_IN_FLIGHT_MAX, OUTBOUND_BUFFER_BYTES_MAX, OUTBOUND_IN_FLIGHT_MAX};
use talaria_core::topic::OwnTopic;
use talaria_port::deliver::Outgoing;
use talaria_port::ingest::Outcome;

use super::Connection;
use crate::delivery::{Delivery, Outlet};
use crate::flow::connect::Login;

/// A connection's buffer and what its packets are written with.
pub(crate) struct Wire<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    version: Version,
}

impl Wire<'_> {
    fn put(&mut self, packet: &Packet<'_>) {
        if let Err(error) = packet.encode(self.version, self.out) {
            tracing::error!(%error, "a packet of ours cannot be written");
        }
    }

    pub(crate) fn pingresp(&mut self) {
        self.put(&Packet::PingResp);
    }

    pub(crate) fn connack_failure(&mut self, reason: ReasonCode) {
        self.put(&Packet::ConnAck(ConnAck { session_present: false, reason, ..ConnAck::default() }));
    }

    pub(crate) fn disconnect(&mut self, reason: ReasonCode) {
        self.put(&Packet::Disconnect(Disconnect { reason, ..Disconnect::default() }));
    }

    pub(crate) fn pubcomp(&mut self, packet_id: NonZeroU16, reason: ReasonCode) {
        self.put(&Packet::PubComp(Ack { reason, ..Ack::success(packet_id) }));
    }

    pub(crate) fn suback(&mut self, packet_id: NonZeroU16, reasons: &[ReasonCode]) {
        self.put(&Packet::SubAck(SubAck { packet_id, properties: Default::default(), reasons: reasons.into() }));
    }

    pub(crate) fn unsuback(&mut self, packet_id: NonZeroU16, reasons: &[ReasonCode]) {
        self.put(&Packet::UnsubAck(UnsubAck { packet_id, properties: Default::default(), reasons: reasons.into() }));
    }

    /// PUBACK, or PUBREC for QoS 2. 3.1.1 has no reasons: it is a success, and the rejection was told elsewhere.
    pub(crate) fn publish_ack(&mut self, qos: QoS, packet_id: NonZeroU16, outcome: &Outcome, wants_info: bool) {
        let mut ack = Ack::success(packet_id);
        let (mut id_text, mut seq_text) = (String::new(), String::new());
        let pairs;
        match outcome {
            Outcome::Refused(refusal) if self.version == Version::V5 => {
                let reason = ReasonCode::from_number(refusal.code.mqtt());
                ack.reason = reason.unwrap_or(ReasonCode::UnspecifiedError);
                ack.properties.reason_string = wants_info.then_some(&*refusal.reason);
            }
            Outcome::Stored { id, seq, .. } if self.version == Version::V5 && wants_info => {
                id_text = id.to_string();
                seq_text = seq.to_string();
            }
            _ => {}
        }
        if !id_text.is_empty() {
            pairs = [("id", &*id_text), ("seq", &*seq_text)];
            ack.properties.user_properties = pairs.as_slice().into();
        }
        self.put(&if qos == QoS::ExactlyOnce { Packet::PubRec(ack) } else { Packet::PubAck(ack) });
    }

    /// PUBLISH, at QoS 1 with that packet id, else at QoS 0.
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8], packet_id: Option<u16>) {
        let qos = if packet_id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let packet_id = packet_id.and_then(NonZeroU16::new);
        let written = encode_publish(self.out, self.version, false, qos, false, topic, packet_id, &[], payload);
        if let Err(error) = written {
            tracing::error!(%error, "an event cannot be written");
        }
    }
}

impl Connection {
    /// The buffer to write packets to.
    pub(crate) fn wire(&mut self) -> Wire<'_> {
        let version = self.version;
        Wire { out: &mut self.active().out, version }
    }

    /// CONNACK of a login that succeeded.
    pub(crate) fn connack(&mut self, login: &Login, session_present: bool, packet_bytes_max: usize) {
        let client_id = self.client_id.clone();
        let mut properties = ConnAckProperties::default();
        if self.version == Version::V5 {
            properties.session_expiry_interval = login.expiry_cut.then_some(login.expiry_s);
            properties.receive_maximum = NonZeroU16::new(INBOUND_IN_FLIGHT_MAX);
            properties.maximum_packet_size = u32::try_from(packet_bytes_max).ok().and_then(NonZeroU32::new);
            properties.assigned_client_identifier = login.is_assigned.then_some(&*client_id);
            properties.server_keep_alive = (login.keep_alive_asked_s != self.keep_alive_s).then_some(self.keep_alive_s);
            properties.subscription_identifier_available = Some(false);
            properties.shared_subscription_available = Some(false);
        }
        self.wire().put(&Packet::ConnAck(ConnAck { session_present, reason: ReasonCode::Success, properties }));
    }

    /// Runs `work` on the session's delivery with the connection as its outlet; where there is none, `make` makes it.
    pub(crate) fn with_delivery<R>(
        &mut self,
        make: bool,
        work: impl FnOnce(&mut Delivery, &mut Out<'_>) -> R,
    ) -> Option<R> {
        let last_packet_id = self.last_packet_id;
        let mut delivery = match self.active.as_mut().and_then(|active| active.delivery.take()) {
            Some(delivery) => delivery,
            None if make => Box::new(Delivery::current(last_packet_id)),
            None => return None,
        };
        let in_flight = delivery.in_flight();
        let result = work(&mut delivery, &mut Out { connection: self, in_flight });
        self.active().delivery = Some(delivery);
        Some(result)
    }
}

/// A connection as delivery sees it.
pub(crate) struct Out<'a> {
    connection: &'a mut Connection,
    in_flight: usize,
}

impl Out<'_> {
    fn leaf(conversation: ConversationId) -> OwnTopic {
        if matches!(conversation, ConversationId::Own(_)) { OwnTopic::Events } else { OwnTopic::Inbox }
    }
}

impl Outlet for Out<'_> {
    fn has_room(&self, payload_bytes: usize) -> bool {
        let in_flight_max = usize::from(self.connection.receive_max.min(OUTBOUND_IN_FLIGHT_MAX));
        let unwritten = self.connection.active.as_ref().map_or(0, |active| active.out.len());
        // One that is larger than the whole buffer must go out when there is nothing else.
        let fits = unwritten == 0 || unwritten + payload_bytes <= OUTBOUND_BUFFER_BYTES_MAX;
        fits && self.in_flight < in_flight_max
    }

    fn send(&mut self, event: &Arc<Outgoing>, packet_id: Option<u16>) {
        let leaf = Self::leaf(event.event.conversation);
        let Some((spelling, _)) = self.connection.own.best(leaf) else { return };
        let topic = self.connection.topic(leaf, spelling);
        self.in_flight += usize::from(packet_id.is_some());
        // Fixed header, topic length, packet id and an empty property block take at most 10 bytes.
        let bytes_max = self.connection.packet_bytes_max_out as usize;
        let stub = (event.envelope.len() + topic.as_str().len() + 10 > bytes_max).then(|| event.event.stub());
        let payload = stub.as_ref().unwrap_or(&event.envelope);
        self.connection.wire().publish(topic.as_str(), payload, packet_id);
    }

    fn qos(&self, conversation: ConversationId) -> Option<u8> {
        self.connection.own.best(Self::leaf(conversation)).map(|(_, qos)| qos)
    }
}

#[cfg(test)]
mod tests {
    use talaria_core::Code;
    use talaria_port::Refusal;

    use super::*;

    #[test]
    fn every_refusal_is_a_packet() {
        let packet_id = NonZeroU16::new(7).unwrap();
        for version in [Version::V311, Version::V5] {
            for (code, qos) in Code::ALL.iter().flat_map(|code| [(code, QoS::AtLeastOnce), (code, QoS::ExactlyOnce)]) {
                let mut out = Vec::new();
                let outcome = Outcome::Refused(Refusal::from(*code));
                Wire { out: &mut out, version }.publish_ack(qos, packet_id, &outcome, true);
                assert!(!out.is_empty(), "{code:?} in {version:?}");
            }
        }
    }
}

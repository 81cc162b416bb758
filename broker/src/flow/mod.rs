//! One file a packet flow. A flow takes the connection and a packet and changes state; the loop does the IO.

pub(crate) mod catch_up;
pub(crate) mod connect;
pub(crate) mod deliver;
pub(crate) mod disconnect;
pub(crate) mod mark;
pub(crate) mod puback;
pub(crate) mod publish;
pub(crate) mod qos2;
pub(crate) mod subscribe;
pub(crate) mod unsubscribe;
pub(crate) mod will;

use talaria_codec::{Packet, ReasonCode};

use crate::session::{Connection, Phase, Turn};

/// Whether a packet is done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Handled {
    Done,
    /// Something is looked up for it: it stays unread and comes again.
    Wait,
}

/// Every packet a client may send, and where it is handled.
pub(crate) fn on_packet(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Packet<'_>) -> Handled {
    if connection.phase == Phase::Fresh {
        match packet {
            Packet::Connect(connect) => connect::on_connect(connection, turn, connect),
            // MQTT-3.1.0-1: without CONNECT there is no one to answer.
            _ => connection.phase = Phase::Over,
        }
        return Handled::Done;
    }
    match packet {
        Packet::Publish(publish) => return publish::on_publish(connection, turn, publish),
        Packet::Subscribe(subscribe) => return subscribe::on_subscribe(connection, turn, subscribe),
        Packet::Unsubscribe(unsubscribe) => return unsubscribe::on_unsubscribe(connection, turn, unsubscribe),
        Packet::PubAck(ack) => puback::on_puback(connection, turn, ack.packet_id.get()),
        Packet::PubRel(ack) => qos2::on_pubrel(connection, ack.packet_id),
        Packet::PingReq => connection.wire().pingresp(),
        Packet::Disconnect(disconnect) => disconnect::on_disconnect(connection, turn, disconnect),
        // CONNECT twice (MQTT-3.1.0-2), acknowledgements of QoS 2 that was never sent, AUTH without a method.
        _ => disconnect::fail(connection, turn, ReasonCode::ProtocolError),
    }
    Handled::Done
}

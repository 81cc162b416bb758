//! The will: a publish that the client left for when it is lost.

use talaria_codec::{Publish, QoS};

use super::publish;
use crate::session::{Connection, Turn};

/// A will as CONNECT brought it.
#[derive(Clone, Debug)]
pub(crate) struct Will {
    topic: Box<str>,
    payload: Box<[u8]>,
}

impl Will {
    /// Copies it out of the packet.
    pub(crate) fn of(will: &talaria_codec::Will<'_>) -> Self {
        Self { topic: will.topic.into(), payload: will.payload.into() }
    }
}

/// Publishes the will, with the rights of this moment; nobody waits for the answer.
pub(crate) fn publish_now(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(will) = connection.will.take() else { return };
    let packet = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: &will.topic,
        packet_id: None,
        properties: Default::default(),
        payload: &will.payload,
    };
    publish::on_publish(connection, turn, &packet);
}

//! Live events and hints to the client.

use std::sync::Arc;

use talaria_core::topic::OwnTopic;
use talaria_port::deliver::{Hint, Outgoing};
use talaria_port::error::Refusal;

use super::publish::Publishing;
use crate::session::{Connection, Phase, Turn};

pub(crate) fn on_live(connection: &mut Connection, turn: &mut Turn<'_>, event: &Arc<Outgoing>) {
    if connection.phase != Phase::Live {
        return;
    }
    let moment = turn.moment();
    connection.with_delivery(true, |delivery, outlet| delivery.on_live(event, &moment, outlet));
}

pub(crate) fn on_hint(connection: &mut Connection, hint: &Hint) {
    let json = match hint {
        Hint::Typing { conversation, from } => {
            format!(r#"{{"type":"typing","conv":"{conversation}","from":"{from}"}}"#)
        }
        Hint::Read { conversation, seq } => format!(r#"{{"type":"read","conv":"{conversation}","seq":{seq}}}"#),
    };
    tell(connection, &json);
}

/// A refusal for those who have no reason code.
pub(crate) fn reject(connection: &mut Connection, publishing: &Publishing, refusal: &Refusal) {
    let packet_id = publishing.packet_id.map_or_else(|| "null".to_owned(), |id| id.to_string());
    // Rust's escapes of text differ from JSON's only in characters that topics and reasons do not hold.
    let json = format!(
        r#"{{"type":"rejected","topic":{:?},"code":{:?},"reason":{:?},"packet_id":{packet_id}}}"#,
        publishing.topic,
        refusal.code.text(),
        refusal.reason,
    );
    tell(connection, &json);
}

/// Live on `events`, at QoS 0, if it is subscribed and there is room.
fn tell(connection: &mut Connection, json: &str) {
    if connection.phase == Phase::Live
        && let Some((spelling, _)) = connection.own.best(OwnTopic::Events)
    {
        let topic = connection.topic(OwnTopic::Events, spelling);
        connection.wire().publish(&topic, json.as_bytes(), None);
    }
}

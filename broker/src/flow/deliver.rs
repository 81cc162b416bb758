//! Live events and hints to the client.

use std::sync::Arc;

use talaria_core::limits::OUTBOUND_BUFFER_BYTES_MAX;
use talaria_core::topic::OwnTopic;
use talaria_core::{ChannelId, ConversationId};
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
    match hint {
        Hint::Typing { conversation, from } => {
            let json = format!(r#"{{"type":"typing","conv":"{conversation}","from":"{from}"}}"#);
            match conversation {
                ConversationId::Channel(channel) => tell_typing(connection, *channel, &json),
                _ => tell(connection, &json),
            }
        }
        Hint::Read { conversation, seq } => {
            tell(connection, &format!(r#"{{"type":"read","conv":"{conversation}","seq":{seq}}}"#));
        }
    }
}

/// In a channel only those are told who asked for it: a hundred members typing would drown the rest.
fn tell_typing(connection: &mut Connection, channel: ChannelId, json: &str) {
    if connection.channels.as_ref().is_some_and(|channels| channels.contains(channel)) && takes_hints(connection) {
        connection.wire().publish(&format!("channel/{channel}/typing"), json.as_bytes(), None);
    }
}

/// Hints are dropped where there is no room for them.
fn takes_hints(connection: &Connection) -> bool {
    let unwritten = connection.active.as_ref().map_or(0, |active| active.out.len());
    connection.phase == Phase::Live && unwritten <= OUTBOUND_BUFFER_BYTES_MAX
}

/// A refusal, as those are told who get no reason code.
#[derive(serde::Serialize)]
struct Rejected<'a> {
    r#type: &'static str,
    topic: &'a str,
    code: &'static str,
    reason: &'a str,
    packet_id: Option<u16>,
}

/// A refusal for those who have no reason code.
pub(crate) fn reject(connection: &mut Connection, publishing: &Publishing, refusal: &Refusal) {
    let rejected = Rejected {
        r#type: "rejected",
        topic: &publishing.topic,
        code: refusal.code.text(),
        reason: &refusal.reason,
        packet_id: publishing.packet_id.map(Into::into),
    };
    // Writing strings and numbers to memory cannot fail.
    tell(connection, &serde_json::to_string(&rejected).unwrap_or_default());
}

/// Live on `events`, at QoS 0, if it is subscribed and there is room.
fn tell(connection: &mut Connection, json: &str) {
    if takes_hints(connection)
        && let Some((spelling, _)) = connection.own.best(OwnTopic::Events)
    {
        let topic = connection.topic(OwnTopic::Events, spelling);
        connection.wire().publish(topic.as_str(), json.as_bytes(), None);
    }
}

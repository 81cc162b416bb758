//! Writes of the session's row and mark, in the order (generation, write) (D10).

use talaria_core::topic::OwnTopic;
use talaria_port::ingest::ReplyTo;
use talaria_port::sessions::{Mark, SessionRow, SessionWrite};

use crate::delivery::MarkPosition;
use crate::session::{Connection, Turn};

/// Writes the subscriptions of a session that outlives its connection.
pub(crate) fn write_row(connection: &Connection, turn: &Turn<'_>) {
    let (Some(kept), Some(key)) = (&connection.kept, connection.key()) else { return };
    let subscriptions = connection
        .own
        .iter()
        .map(|(topic, spelling, qos)| (connection.topic(topic, spelling).into_boxed_str(), qos))
        .collect();
    let row = SessionRow { generation: connection.generation, expiry_s: kept.expiry_s, subscriptions };
    turn.shared.deps.session_log.write(SessionWrite::Row(key, row), None);
}

/// Writes the mark of a session that has one.
pub(crate) fn write(connection: &mut Connection, turn: &Turn<'_>, connected: bool, reply: Option<ReplyTo>) {
    let moment = turn.moment();
    let position = match connection.active.as_ref().and_then(|active| active.delivery.as_ref()) {
        Some(delivery) => delivery.position(&moment),
        None => MarkPosition {
            settled: moment.settled,
            behind: Vec::new(),
            ahead: Vec::new(),
            packet_id: connection.last_packet_id,
        },
    };
    let (generation, Some(key)) = (connection.generation, connection.key()) else { return };
    let Some(kept) = connection.kept.as_mut().filter(|kept| kept.has_mark) else { return };
    kept.writes += 1;
    kept.is_mark_due = false;
    kept.marked_ms = turn.shared.now_ms;
    let mark = Mark {
        generation,
        write: kept.writes,
        settled: position.settled,
        behind: position.behind,
        ahead: position.ahead,
        packet_id: position.packet_id,
        unreleased: kept.unreleased.clone(),
        at_unix_ms: turn.shared.deps.clock.unix_ms(),
        connected,
        resend_floor: kept.resend_floor,
    };
    turn.shared.deps.session_log.write(SessionWrite::Mark(key, mark), reply);
}

impl Connection {
    /// A topic of the user's own tree as it was subscribed.
    pub(crate) fn topic(&self, leaf: OwnTopic, spelling: crate::session::Spelling) -> String {
        use crate::session::Spelling;
        match (spelling, &self.handle, self.user) {
            (Spelling::Handle, Some(handle), _) => format!("user/{handle}/{}", leaf.text()),
            (Spelling::Id, _, Some(user)) => format!("user/{user}/{}", leaf.text()),
            _ => format!("user/me/{}", leaf.text()),
        }
    }
}

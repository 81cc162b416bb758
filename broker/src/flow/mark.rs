//! Writes of the session's row and mark, in the order (generation, write) (D10).

use talaria_port::ingest::ReplyTo;
use talaria_port::sessions::{Mark, SessionRow, SessionWrite};

use crate::delivery::MarkPosition;
use crate::session::{Connection, Turn};

/// Writes the subscriptions of a session that outlives its connection.
pub(crate) fn write_row(connection: &Connection, turn: &Turn<'_>, reply: Option<ReplyTo>) {
    let (Some(kept), Some(key)) = (&connection.kept, connection.key()) else { return };
    let own = connection.own.iter();
    let own = own.map(|(topic, spelling, qos)| (connection.topic(topic, spelling).as_str().into(), qos));
    let channels = connection.channels.iter().flat_map(|channels| channels.iter());
    let typing = channels.map(|channel| (format!("channel/{channel}/typing").into(), 0));
    let subscriptions = own.chain(typing).collect();
    let row = SessionRow { generation: connection.generation, expiry_s: kept.expiry_s, subscriptions };
    turn.shared.deps.session_log.write(SessionWrite::Row(key, row), reply);
}

/// Writes the mark of a session that outlives its connection.
pub(crate) fn write(connection: &mut Connection, turn: &Turn<'_>, connected: bool, reply: Option<ReplyTo>) {
    let moment = turn.moment();
    let active = connection.active.as_ref();
    let position = match active.and_then(|active| active.delivery.as_ref()) {
        Some(delivery) => delivery.position(&moment),
        None => MarkPosition {
            settled: moment.settled,
            behind: Vec::new(),
            ahead: Vec::new(),
            packet_id: connection.last_packet_id,
        },
    };
    let unreleased = active.map(|active| active.unreleased.clone()).unwrap_or_default();
    let (generation, Some(key)) = (connection.generation, connection.key()) else { return };
    let resend_floor = connection.resend.as_ref().map(|resend| resend.lowest_floor()).unwrap_or_default();
    let Some(kept) = &mut connection.kept else { return };
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
        unreleased,
        at_unix_ms: turn.shared.deps.clock.unix_ms(),
        connected,
        resend_floor,
    };
    turn.shared.deps.session_log.write(SessionWrite::Mark(key, mark), reply);
}

/// What outlives the connection: its mark, or nothing where its expiry is 0 (section 3.1.2.11.2).
pub(crate) fn write_last(connection: &mut Connection, turn: &Turn<'_>) {
    let Some(kept) = &connection.kept else { return };
    if kept.expiry_s > 0 {
        return write(connection, turn, false, None);
    }
    if let Some(key) = connection.key() {
        turn.shared.deps.session_log.write(SessionWrite::End(key, connection.generation), None);
    }
}

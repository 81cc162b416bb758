//! The end of a connection, from either side: will, mark, what counts as a resend, name, directory, in that order.

use talaria_codec::{Direction, Disconnect, Frame, Packet, ReasonCode, Version, decode, frame};
use talaria_core::limits::SESSION_EXPIRY_S_MAX;

use super::{mark, will};
use crate::session::{Active, Connection, Phase, Turn};

pub(crate) fn on_disconnect(connection: &mut Connection, turn: &mut Turn<'_>, packet: &Disconnect<'_>) {
    if let Some(expiry_s) = packet.properties.session_expiry_interval {
        match &mut connection.kept {
            Some(kept) if kept.expiry_s > 0 => {
                kept.expiry_s = expiry_s.min(SESSION_EXPIRY_S_MAX);
                mark::write_row(connection, turn, None);
            }
            // Section 3.14.2.2.2: what was 0 in CONNECT stays 0.
            _ if expiry_s > 0 => return fail(connection, turn, ReasonCode::ProtocolError),
            _ => {}
        }
    }
    if packet.reason != ReasonCode::DisconnectWithWill {
        connection.will = None;
    }
    connection.is_peer_done = true;
    end(connection, turn, true);
}

/// Closes with a reason; the will goes out.
pub(crate) fn fail(connection: &mut Connection, turn: &mut Turn<'_>, reason: ReasonCode) {
    match connection.phase {
        Phase::Live if connection.version == Version::V5 => connection.wire().disconnect(reason),
        // Whatever it was, the client may try again.
        Phase::Connecting => connection.wire().connack_failure(ReasonCode::ServerBusy),
        _ => {}
    }
    leave(connection, turn);
}

/// Gives everything back. What is unwritten still goes out.
pub(crate) fn leave(connection: &mut Connection, turn: &mut Turn<'_>) {
    end(connection, turn, false);
}

fn end(connection: &mut Connection, turn: &mut Turn<'_>, is_clean: bool) {
    if connection.is_ending() {
        return;
    }
    if connection.phase == Phase::Live {
        will::publish_now(connection, turn);
    }
    leave_resends(connection, turn, is_clean);
    // Also before CONNACK, once its first mark said that the session is connected.
    mark::write_last(connection, turn);
    connection.begin_closing(turn.shared.now_ms);
    give_back(connection, turn);
}

/// Remembers which publishes surely were not acknowledged: those without an answer, and those whose answer lies unwritten. What still
/// goes out after this is not heard by a peer that is gone; where it is heard after all, nothing is sent again.
fn leave_resends(connection: &mut Connection, turn: &Turn<'_>, is_clean: bool) {
    let Some(user) = connection.user else { return };
    let resend = connection.resend.take().map(|resend| *resend).unwrap_or_default();
    let active = connection.active.as_ref();
    let unanswered =
        active.map(|active| unanswered(active, connection.version, connection.is_peer_done)).unwrap_or_default();
    let resend = match is_clean {
        true => resend.after_clean_end(unanswered, turn.shared.settled),
        false => resend.after_loss(unanswered),
    };
    // The mark says its floor.
    connection.resend = Some(Box::new(resend.clone()));
    turn.shared.resends.leave(user, &connection.client_id, resend);
}

fn unanswered(active: &Active, version: Version, is_peer_done: bool) -> Vec<u16> {
    // Answered or not: what still stands in line was not acknowledged. At QoS 0 there is no packet id.
    let waiting = active.publishing.iter();
    let mut packet_ids: Vec<_> = waiting.filter_map(|publishing| Some(publishing.packet_id?.get())).collect();
    // The rest of a torn packet cannot be told apart; and what a peer that still reads will get is not known not to be written.
    let mut rest = if active.is_torn || !is_peer_done { &[][..] } else { &active.out[..] };
    while let Ok(Frame::Complete { packet_bytes }) = frame(rest, usize::MAX) {
        let (packet, behind) = rest.split_at(packet_bytes.min(rest.len()));
        if let Ok(Packet::PubAck(ack) | Packet::PubRec(ack)) = decode(packet, version, Direction::ToClient) {
            packet_ids.push(ack.packet_id.get());
        }
        rest = behind;
    }
    packet_ids
}

/// The name and the place in the directory; once, however the connection came to its end.
pub(crate) fn give_back(connection: &mut Connection, turn: &mut Turn<'_>) {
    let Some(user) = connection.user.take() else { return };
    if std::mem::take(&mut connection.is_registered) {
        turn.shared.deps.directory.unregister(user, turn.me);
    }
    turn.shared.deps.claims.release(user, &connection.client_id, connection.generation);
}

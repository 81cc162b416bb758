//! What a session's mark says of its position (D2, D10).

use talaria_core::limits::MARK_LIST_MAX;
use talaria_core::{ConversationId, EventId, Rule, Rules, Seq};
use talaria_port::sessions::Position;

use super::cursor::Cursor;

/// The fields of a mark that come from delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkPosition {
    /// M: everything up to it is acknowledged but for `behind`.
    pub settled: EventId,
    /// Acknowledged less far than M; at most [`MARK_LIST_MAX`].
    pub behind: Vec<(ConversationId, Position)>,
    /// Acknowledged further than M; at most [`MARK_LIST_MAX`].
    pub ahead: Vec<(ConversationId, Seq, EventId)>,
    /// The last outgoing packet id (D9).
    pub packet_id: u16,
}

impl MarkPosition {
    /// From the cursors of a session whose M is `settled`.
    ///
    /// When `behind` does not fit, M goes back to where it does: of a later M the list would lack some, of an earlier one
    /// some events are sent again.
    pub(super) fn of<'a>(
        cursors: impl Iterator<Item = (&'a ConversationId, &'a Cursor)> + Clone,
        settled: EventId,
        packet_id: u16,
        rules: Rules,
    ) -> Self {
        let mut behind: Vec<_> = cursors
            .clone()
            .filter(|(_, cursor)| cursor.acked_id() < settled)
            .filter(|(_, cursor)| cursor.behind.is_some() || cursor.is_in_flight())
            .map(|(conversation, cursor)| (*conversation, cursor))
            .collect();
        let mut settled = settled;
        if behind.len() > MARK_LIST_MAX && rules.hold(Rule::D10) {
            behind.sort_unstable_by_key(|(_, cursor)| cursor.acked_id());
            if let Some((_, first_left_out)) = behind.get(MARK_LIST_MAX) {
                settled = first_left_out.acked_id();
            }
            behind.retain(|(_, cursor)| cursor.acked_id() < settled);
        }
        let mut behind: Vec<_> =
            behind.into_iter().map(|(conversation, cursor)| (conversation, cursor.acked)).collect();
        // In the same order in every run, or no simulation could be replayed from its seed.
        behind.sort_unstable_by_key(|(conversation, _)| *conversation);
        if !rules.hold(Rule::D2) {
            behind.iter_mut().for_each(|(_, position)| {
                if matches!(position, Position::After(_)) {
                    *position = Position::After(settled);
                }
            });
        }
        let bound = if rules.hold(Rule::D10) { MARK_LIST_MAX } else { usize::MAX };
        let mut ahead: Vec<_> = cursors
            .filter_map(|(conversation, cursor)| match cursor.acked {
                Position::At(seq, id) if id > settled => Some((*conversation, seq, id)),
                _ => None,
            })
            .take(bound)
            .collect();
        ahead.sort_unstable_by_key(|(conversation, ..)| *conversation);
        Self { settled, behind, ahead, packet_id }
    }
}

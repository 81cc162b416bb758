//! A user's intervals in one channel, from joins and leaves that become known in any order.
//!
//! Every backend of [`ChannelStore`](crate::channels::ChannelStore) keeps rows of (`joined_seq`, `left_seq`) and changes them through here, so that settling is idempotent and
//! does not depend on the order: the rows say no more and no less than which joins and leaves are known.

use std::collections::BTreeMap;

use talaria_core::Seq;

use crate::channels::{Change, Interval};

/// The rows of one user in one channel, as they are kept. Two kinds exist only while a change in between is not settled yet:
/// a leave whose join is not known is a row of nothing, `[s, s)`; a join that follows a join ends the earlier row where its own begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// From rows as they were kept, oldest first.
    pub fn from_rows(rows: Vec<Interval>) -> Self {
        Self(rows)
    }

    /// As they are to be kept, oldest first. Only the last may be open, and it says whether the user is a member.
    pub fn rows(&self) -> &[Interval] {
        &self.0
    }

    /// What the user was a member for, oldest first.
    pub fn memberships(&self) -> impl Iterator<Item = Interval> {
        self.0.iter().copied().filter(|row| row.left_seq != Some(row.joined_seq))
    }

    /// The seq of the join that holds now; `None` where the user is no member.
    pub fn joined(&self) -> Option<Seq> {
        self.0.last().filter(|last| last.left_seq.is_none()).map(|last| last.joined_seq)
    }

    /// Lets a change be known that happened at `seq`.
    pub fn settle(&mut self, change: Change, seq: Seq) {
        let mut known = self.changes();
        known.insert(seq, change);
        self.0 = rows_of(&known);
    }

    /// The joins and leaves that the rows tell.
    fn changes(&self) -> BTreeMap<Seq, Change> {
        let mut known = BTreeMap::new();
        for (at, row) in self.0.iter().enumerate() {
            if row.left_seq != Some(row.joined_seq) {
                known.insert(row.joined_seq, Change::Join);
            }
            let next = self.0.get(at + 1).map(|next| next.joined_seq);
            match row.left_seq {
                // Ended by the next join, for want of its own leave.
                Some(left) if next == Some(left) => {}
                Some(left) => {
                    known.insert(left, Change::Leave);
                }
                None => {}
            }
        }
        known
    }
}

fn rows_of(changes: &BTreeMap<Seq, Change>) -> Vec<Interval> {
    let mut rows: Vec<Interval> = Vec::new();
    for (&seq, change) in changes {
        let open = rows.last_mut().filter(|last| last.left_seq.is_none());
        match (change, open) {
            (Change::Join, open) => {
                if let Some(open) = open {
                    open.left_seq = Some(seq);
                }
                rows.push(Interval { joined_seq: seq, left_seq: None });
            }
            (Change::Leave, Some(open)) => open.left_seq = Some(seq),
            (Change::Leave, None) => rows.push(Interval { joined_seq: seq, left_seq: Some(seq) }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(changes: &[(Change, u64)]) -> Intervals {
        let mut intervals = Intervals::default();
        for (change, seq) in changes {
            intervals.settle(*change, Seq(*seq));
        }
        intervals
    }

    /// Every order of `rest` behind `done`.
    fn orders(done: &mut Vec<(Change, u64)>, rest: &[(Change, u64)], each: &mut impl FnMut(&[(Change, u64)])) {
        if rest.is_empty() {
            each(done);
        }
        for at in 0..rest.len() {
            let mut left = rest.to_vec();
            done.push(left.remove(at));
            orders(done, &left, each);
            done.pop();
        }
    }

    const HISTORY: [(Change, u64); 6] = [
        (Change::Join, 1),
        (Change::Leave, 4),
        (Change::Join, 5),
        (Change::Leave, 6),
        (Change::Join, 9),
        (Change::Leave, 12),
    ];

    #[test]
    fn every_order_leads_to_the_same_intervals_and_repeats_change_nothing() {
        for length in 1..=HISTORY.len() {
            let history = &HISTORY[..length];
            let expected = after(history);
            assert_eq!(expected.joined().is_some(), length % 2 == 1);
            assert_eq!(expected.memberships().count(), length.div_ceil(2));
            orders(&mut Vec::new(), history, &mut |order| {
                assert_eq!(after(order), expected, "{order:?}");
                for repeated in order {
                    let mut again = after(order);
                    again.settle(repeated.0, Seq(repeated.1));
                    assert_eq!(again, expected, "{order:?} and {repeated:?} again");
                }
            });
        }
    }

    #[test]
    fn rows_tell_exactly_what_is_known_and_only_the_last_is_open() {
        for chosen in 0..1_u32 << HISTORY.len() {
            let known: Vec<_> = (0..HISTORY.len()).filter(|at| chosen >> at & 1 == 1).map(|at| HISTORY[at]).collect();
            let intervals = after(&known);
            let told: Vec<_> = intervals.changes().into_iter().map(|(seq, change)| (change, seq.0)).collect();
            assert_eq!(told, known);
            let (_, earlier) = intervals.rows().split_last().unwrap_or((&HOLE, &[]));
            assert!(earlier.iter().all(|row| row.left_seq.is_some()), "{intervals:?}");
            assert_eq!(intervals.joined().is_some(), known.last().is_some_and(|last| last.0 == Change::Join));
        }
    }

    const HOLE: Interval = Interval { joined_seq: Seq(0), left_seq: None };

    #[test]
    fn a_leave_whose_join_is_not_settled_yet_makes_nobody_a_member_later() {
        let mut intervals = after(&[(Change::Leave, 8)]);
        assert_eq!((intervals.joined(), intervals.memberships().count()), (None, 0));
        intervals.settle(Change::Join, Seq(5));
        assert_eq!(intervals.joined(), None);
        assert!(intervals.memberships().eq([Interval { joined_seq: Seq(5), left_seq: Some(Seq(8)) }]));
    }
}

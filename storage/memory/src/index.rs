//! Which conversations moved when, for a user and for all; and which 1:1 conversations a user has.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use talaria_core::{ConversationId, UserId};
use talaria_port::messages::{Round, Window};

/// Conversations in the order of their stored keys, as every store that keeps rows sorted by bytes has them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ByKey(ConversationId);

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.to_key().cmp(&other.0.to_key())
    }
}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

type Rows = BTreeSet<(Window, ByKey)>;

#[derive(Clone, Default)]
pub(crate) struct Index {
    of: BTreeMap<UserId, Rows>,
    moved: Rows,
    listed: BTreeMap<UserId, BTreeSet<ByKey>>,
}

impl Index {
    pub(crate) fn apply(&mut self, round: &Round) {
        for row in &round.index {
            self.of.entry(row.user).or_default().insert((row.window, ByKey(row.conversation)));
        }
        for row in &round.moved {
            self.moved.insert((row.window, ByKey(row.conversation)));
        }
        for (user, conversation) in &round.listed {
            self.listed.entry(*user).or_default().insert(ByKey(*conversation));
        }
    }

    pub(crate) fn of(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Vec<(Window, ConversationId)> {
        self.of.get(&user).map(|rows| page(rows, from, after, limit)).unwrap_or_default()
    }

    pub(crate) fn moved(
        &self,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Vec<(Window, ConversationId)> {
        page(&self.moved, from, after, limit)
    }

    pub(crate) fn listed(&self, user: UserId, after: Option<ConversationId>, limit: usize) -> Vec<ConversationId> {
        let Some(rows) = self.listed.get(&user) else { return Vec::new() };
        let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(ByKey(after)));
        rows.range((start, Bound::Unbounded)).take(limit).map(|row| row.0).collect()
    }
}

fn page(
    rows: &Rows,
    from: Window,
    after: Option<(Window, ConversationId)>,
    limit: usize,
) -> Vec<(Window, ConversationId)> {
    let start = after.map_or(Bound::Unbounded, |(window, conversation)| Bound::Excluded((window, ByKey(conversation))));
    rows.range((start, Bound::Unbounded))
        .skip_while(|(window, _)| *window < from)
        .take(limit)
        .map(|(window, row)| (*window, row.0))
        .collect()
}

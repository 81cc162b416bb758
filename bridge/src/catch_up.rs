//! What a session reads that is behind: never beyond the committed head, never before a join, nothing for a former member (INV-5).

use std::sync::Arc;

use async_trait::async_trait;
use talaria_core::{ConversationId, Seq, UserId};
use talaria_port::StoreError;
use talaria_port::history::{CatchUp, CatchUps, Moves};
use talaria_port::messages::{Amount, Span, Window};
use talaria_port::sessions::Position;

use crate::conversation::{Entry, Head};
use crate::{Bridge, Inner};

/// Rows of one piece of a walk.
const MOVES_MAX: usize = 256;

#[async_trait]
impl CatchUps for Bridge {
    async fn catch_up(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        amount: Amount,
    ) -> Result<Option<CatchUp>, StoreError> {
        self.inner.catch_up(user, conversation, position, amount).await
    }

    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, StoreError> {
        Ok(self.inner.joined(user, conversation).await?.is_some())
    }

    async fn moves(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
    ) -> Result<Moves, StoreError> {
        let rows = self.inner.deps.store.index(user, from, after, MOVES_MAX).await?;
        Ok(Moves { is_end: rows.len() < MOVES_MAX, rows })
    }
}

impl Inner {
    async fn catch_up(
        self: &Arc<Self>,
        user: UserId,
        id: ConversationId,
        position: Position,
        amount: Amount,
    ) -> Result<Option<CatchUp>, StoreError> {
        let Some(joined) = self.joined(user, id).await? else { return Ok(None) };
        let (seq, at) = match position {
            Position::At(seq, at) => (seq, at),
            Position::After(at) => (self.deps.store.seq_at(id, at).await?, at),
        };
        let from = seq.max(Seq(joined.0.saturating_sub(1)));
        let mut events = self.deps.store.events(id, Span::After(from), amount).await?;
        // Only after the reading: what is committed by now covers all that is visible of what was read.
        let head = self.committed_head(id).await?;
        events.retain(|event| event.seq <= head.seq);
        // Still a member after the reading, or a removal meanwhile would show what came after it; and after leaving and joining again
        // only what follows the latest join is owed (D7).
        let Some(joined) = self.joined(user, id).await? else { return Ok(None) };
        events.retain(|event| event.seq >= joined);
        let upto = match events.last() {
            Some(last) => (last.seq, last.id),
            None if from >= head.seq => (head.seq, head.id),
            None => (from, at),
        };
        let events = events.into_iter().map(Arc::new).collect();
        Ok(Some(CatchUp { events, upto, head: (head.seq, head.id) }))
    }

    /// From when on the user is a member now.
    pub(crate) async fn joined(self: &Arc<Self>, user: UserId, id: ConversationId) -> Result<Option<Seq>, StoreError> {
        Ok(self.receivers(id).await?.joined(user))
    }

    /// The committed head: of an awake conversation its own, else the last event stored.
    pub(crate) async fn committed_head(&self, id: ConversationId) -> Result<Head, StoreError> {
        loop {
            if let Some(Entry::Awake(conversation)) = self.shards.lock_of(id).entries.get(&id) {
                return Ok(conversation.committed);
            }
            let amount = Amount { events: 1, bytes: 1 };
            let last = self.deps.store.events(id, Span::Before(Seq(u64::MAX)), amount).await?;
            // Woken meanwhile, it may have stored an event that is not settled yet.
            if !matches!(self.shards.lock_of(id).entries.get(&id), Some(Entry::Awake(_))) {
                return Ok(last.last().map(Head::from).unwrap_or_default());
            }
        }
    }
}

//! History for the API: pages by seq and by id, a user's conversations.

use std::sync::Arc;

use async_trait::async_trait;
use talaria_core::limits::PAGE_BYTES_MAX;
use talaria_core::{Code, ConversationId, EventId, Seq, UserId};
use talaria_port::channels::Interval;
use talaria_port::history::{ConversationSummary, History, HistoryPage, PageAt};
use talaria_port::messages::{Amount, Span};
use talaria_port::{Refusal, StoreError};

use crate::trouble::told;
use crate::{Bridge, Inner};

/// Rows of one read of a user's 1:1 conversations.
const LISTED_AT_ONCE: usize = 1024;

#[async_trait]
impl History for Bridge {
    async fn page(
        &self,
        user: UserId,
        conversation: ConversationId,
        at: PageAt,
        limit: usize,
    ) -> Result<HistoryPage, Refusal> {
        let page = self.inner.page(user, conversation, at, limit.max(1)).await.map_err(told)?;
        page.ok_or_else(|| Code::NotAMember.into())
    }

    async fn conversations(
        &self,
        user: UserId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<ConversationSummary>, Refusal> {
        self.inner.summaries(user, before, limit).await.map_err(told)
    }

    async fn head(&self, conversation: ConversationId) -> Result<(Seq, EventId), StoreError> {
        let head = self.inner.committed_head(conversation).await?;
        Ok((head.seq, head.id))
    }

    fn settled(&self) -> EventId {
        self.inner.settled()
    }
}

impl Inner {
    /// `None` to who is no member.
    async fn page(
        self: &Arc<Self>,
        user: UserId,
        conversation: ConversationId,
        at: PageAt,
        limit: usize,
    ) -> Result<Option<HistoryPage>, StoreError> {
        let Some(joined) = self.joined(user, conversation).await? else { return Ok(None) };
        let visible = self.visible(user, conversation).await?;
        let seq_at = async |id| self.deps.store.seq_at(conversation, id).await;
        let events = match at {
            PageAt::Newest => self.before(conversation, Seq(u64::MAX), limit, &visible).await?,
            PageAt::After(seq) => self.after(conversation, seq, limit, &visible).await?,
            PageAt::Before(seq) => self.before(conversation, seq, limit, &visible).await?,
            PageAt::AfterId(id) => self.after(conversation, seq_at(id).await?, limit, &visible).await?,
            PageAt::BeforeId(id) => {
                let seq = seq_at(EventId(id.0.saturating_sub(1))).await?;
                self.before(conversation, seq.next(), limit, &visible).await?
            }
            PageAt::Around(seq) => {
                let mut events = self.before(conversation, seq, limit / 2, &visible).await?;
                let rest = limit.saturating_sub(events.len());
                events.extend(self.after(conversation, Seq(seq.0.saturating_sub(1)), rest, &visible).await?);
                events
            }
        };
        // As in catching up: the head only after the reading.
        let head = self.committed_head(conversation).await?.seq;
        // And the same membership still, or a removal meanwhile would show what came after it (INV-5).
        if self.joined(user, conversation).await? != Some(joined) {
            return Ok(None);
        }
        let events = events.into_iter().filter(|event| event.seq <= head).map(Arc::new).collect();
        Ok(Some(HistoryPage { events, head }))
    }

    async fn summaries(
        self: &Arc<Self>,
        user: UserId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        let mut summaries = Vec::new();
        for conversation in self.conversations_of(user).await? {
            let head = self.committed_head(conversation).await?;
            if head.seq > Seq::ZERO && before.is_none_or(|before| head.id < before) {
                let read = self.deps.store.read_mark(user, conversation).await?;
                let (messages, head) = (head.messages, (head.seq, head.id));
                summaries.push(ConversationSummary { conversation, head, messages, read });
            }
        }
        summaries.sort_unstable_by_key(|summary| std::cmp::Reverse(summary.head.1));
        summaries.truncate(limit);
        Ok(summaries)
    }

    async fn conversations_of(&self, user: UserId) -> Result<Vec<ConversationId>, StoreError> {
        let channels = self.deps.channels.channels_of(user).await?;
        let mut all: Vec<_> = channels.into_iter().map(|channel| ConversationId::Channel(channel.id)).collect();
        let mut after = None;
        loop {
            let listed = self.deps.store.listed(user, after, LISTED_AT_ONCE).await?;
            after = listed.last().copied();
            all.extend(&listed);
            if listed.len() < LISTED_AT_ONCE {
                return Ok(all);
            }
        }
    }

    /// Which seqs the user may see: everything but in a channel that does not share what was before joining.
    async fn visible(&self, user: UserId, conversation: ConversationId) -> Result<Vec<Interval>, StoreError> {
        let all = Interval { joined_seq: Seq(1), left_seq: None };
        let ConversationId::Channel(channel) = conversation else { return Ok(vec![all]) };
        match self.deps.channels.channel(channel).await? {
            Some(channel) if channel.history_shared => Ok(vec![all]),
            _ => Ok(self.deps.channels.intervals(channel, user).await?.memberships().collect()),
        }
    }

    /// Visible events after `seq`: intervals one after the other until there are enough.
    async fn after(
        &self,
        conversation: ConversationId,
        seq: Seq,
        limit: usize,
        visible: &[Interval],
    ) -> Result<Vec<talaria_core::Event>, StoreError> {
        let mut events = Vec::new();
        for interval in visible {
            let from = seq.max(Seq(interval.joined_seq.0.saturating_sub(1)));
            let rest = limit.saturating_sub(events.len());
            if rest == 0 || interval.left_seq.is_some_and(|left| from.next() >= left) {
                continue;
            }
            let amount = Amount { events: rest, bytes: PAGE_BYTES_MAX };
            let mut page = self.deps.store.events(conversation, Span::After(from), amount).await?;
            let read = page.last().map_or(from, |event| event.seq);
            page.retain(|event| interval.left_seq.is_none_or(|left| event.seq < left));
            events.append(&mut page);
            // Cut by its bytes: what follows belongs to the next page.
            if interval.left_seq.is_some_and(|left| read.next() < left) {
                break;
            }
        }
        Ok(events)
    }

    /// Visible events before `seq`, the nearest.
    async fn before(
        &self,
        conversation: ConversationId,
        seq: Seq,
        limit: usize,
        visible: &[Interval],
    ) -> Result<Vec<talaria_core::Event>, StoreError> {
        let mut events = Vec::new();
        for interval in visible.iter().rev() {
            let upto = interval.left_seq.map_or(seq, |left| left.min(seq));
            let rest = limit.saturating_sub(events.len());
            if rest == 0 || upto <= interval.joined_seq {
                continue;
            }
            let amount = Amount { events: rest, bytes: PAGE_BYTES_MAX };
            let mut page = self.deps.store.events(conversation, Span::Before(upto), amount).await?;
            let is_cut = page.first().is_some_and(|first| first.seq > interval.joined_seq);
            page.retain(|event| event.seq >= interval.joined_seq);
            page.append(&mut events);
            events = page;
            if is_cut {
                break;
            }
        }
        Ok(events)
    }
}

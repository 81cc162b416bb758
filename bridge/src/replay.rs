//! After a restart: fans out again, under the same ids, what lies beyond the durable watermark (DESIGN §4 step 6).

use std::sync::Arc;

use talaria_core::limits::PAGE_BYTES_MAX;
use talaria_core::{ConversationId, EventId};
use talaria_port::StoreError;
use talaria_port::messages::{Amount, Span, Window};

use crate::posts::Posts;
use crate::stage::fan_out::FanOut;
use crate::{Bridge, Inner};

const ROWS: usize = 256;
const PAGE: Amount = Amount { events: 256, bytes: PAGE_BYTES_MAX };

impl Bridge {
    /// To be called once at start, before connections are accepted: fans out what may not have been, and finishes membership
    /// changes that were cut short. Returns how many events were fanned out again.
    ///
    /// # Errors
    /// The stores cannot be read; the server must not start then.
    pub async fn recover(&self) -> Result<u64, StoreError> {
        // First, for a replay wakes channels, and who wakes one carries out what is unfinished there.
        let intents = self.inner.deps.channels.unsettled().await?;
        if !intents.is_empty() {
            tracing::info!(changes = intents.len(), "membership changes are finished that were cut short");
            self.inner.finish_intents(intents).await;
        }
        let from = self.inner.deps.store.fanned_out().await?;
        let mut replayed = 0;
        let mut after = None;
        loop {
            let rows = self.inner.deps.store.moved(Window::of(from), after, ROWS).await?;
            for (_, conversation) in &rows {
                replayed += self.inner.replay(*conversation, from).await?;
            }
            after = rows.last().copied();
            if rows.len() < ROWS {
                break;
            }
        }
        Ok(replayed)
    }
}

impl Inner {
    async fn replay(self: &Arc<Self>, id: ConversationId, from: EventId) -> Result<u64, StoreError> {
        let mut seq = self.deps.store.seq_at(id, from).await?;
        let mut replayed = 0;
        loop {
            let mut events = self.deps.store.events(id, Span::After(seq), PAGE).await?;
            // What this process wrote may not be settled yet, and is fanned out by the committer.
            events.retain(|event| event.id <= self.began);
            let Some(last) = events.last() else { return Ok(replayed) };
            seq = last.seq;
            let receivers = self.receivers(id).await?;
            let mut posts = Posts::new(self.mailboxes.len());
            let mut users = Vec::new();
            for event in events {
                replayed += 1;
                let fan_out = FanOut { event: Arc::new(event), receivers: receivers.clone() };
                fan_out.run(self.deps.directory.as_ref(), &mut users, &mut posts);
            }
            posts.flush(&self.mailboxes);
        }
    }
}

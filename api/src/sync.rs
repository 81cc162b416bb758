//! What moved since a cursor: which of the caller's conversations to read, and from where.
//!
//! Begins at the settled watermark and walks the caller's index (DESIGN §5), as a returning session does. A conversation may
//! be told again on a later page; none is left out.

use std::collections::BTreeSet;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use talaria_core::limits::{FAN_OUT_THRESHOLD, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, SYNC_ROWS_MAX};
use talaria_core::{ConversationId, UserId};
use talaria_port::StoreError;
use talaria_port::messages::{Amount, Window};
use talaria_port::sessions::Position;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::conversations::Head;
use crate::problem::Problem;
use crate::request::{self, InQuery};
use crate::sync_cursor::{SyncCursor, Walk};
use crate::{Deps, Shared};

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncQuery {
    /// `cursor` of the answer before; left out, the answer holds the cursor of now and nothing else.
    cursor: Option<String>,
    /// Conversations of this page, 1 to 200; 200 where left out.
    #[param(value_type = Option<usize>)]
    limit: Option<String>,
}

/// What moved.
#[derive(Serialize, ToSchema)]
pub(crate) struct Synced {
    /// Conversations with events that the cursor did not cover.
    moved: Vec<Moved>,
    /// For the next call. Opaque.
    #[schema(example = "010001a3f2c4b5d6e7")]
    cursor: String,
    /// There is more: call again at once.
    more: bool,
}

/// A conversation that moved.
#[derive(Serialize, ToSchema)]
pub(crate) struct Moved {
    /// `dm/{low}-{high}`, `channel/{id}` or `self/{id}`.
    #[schema(example = "dm/7151335096320001-7151335096320004")]
    conv: String,
    /// Its last event.
    head: Head,
    /// Its new events come after this seq.
    #[schema(example = 39)]
    after_seq: u64,
}

/// What moved since a cursor.
#[utoipa::path(
    get, path = "/v1/sync", operation_id = "sync", tag = "messages", params(SyncQuery),
    responses((status = 200, description = "Conversations to read on, and the next cursor", body = Synced)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "unavailable"])))
)]
pub(crate) async fn moved(
    State(deps): State<Shared>,
    caller: Caller,
    InQuery(query): InQuery<SyncQuery>,
) -> Result<axum::Json<Synced>, Problem> {
    let limit = request::limit(query.limit.as_deref(), PAGE_ENTRIES_MAX, PAGE_ENTRIES_MAX)?;
    let Some(text) = query.cursor else {
        let now = SyncCursor { settled: deps.history.settled(), walk: None };
        return Ok(axum::Json(Synced { moved: Vec::new(), cursor: now.to_text(), more: false }));
    };
    let cursor = SyncCursor::from_text(&text);
    let cursor = cursor.ok_or_else(|| Problem::field("cursor", "`cursor` is none that this server gave"))?;
    let mut page =
        Page { deps: &deps, user: caller.user, cursor, limit, looked_at: BTreeSet::new(), moved: Vec::new() };
    let next = page.fill().await?;
    Ok(axum::Json(Synced { moved: page.moved, cursor: next.to_text(), more: next.walk.is_some() }))
}

/// One answer being put together.
struct Page<'d> {
    deps: &'d Deps,
    user: UserId,
    cursor: SyncCursor,
    limit: usize,
    looked_at: BTreeSet<ConversationId>,
    moved: Vec<Moved>,
}

impl Page<'_> {
    /// Walks on from the cursor; gives the next one.
    async fn fill(&mut self) -> Result<SyncCursor, StoreError> {
        let settled = self.cursor.settled;
        // Read before the walk: what settles during it belongs to the next one. It never falls (D6).
        let upto = self.cursor.walk.map_or_else(|| self.deps.history.settled().max(settled), |walk| walk.upto);
        let mut after = self.cursor.walk.map(|walk| walk.after);
        let mut rows_seen = 0;
        loop {
            let moves = self.deps.catch_ups.moves(self.user, Window::of(settled), after).await?;
            for row in &moves.rows {
                if self.moved.len() >= self.limit || rows_seen >= SYNC_ROWS_MAX {
                    // A full page has at least one row behind it, because each entry came from one.
                    return Ok(SyncCursor { settled, walk: after.map(|after| Walk { upto, after }) });
                }
                self.look_at(row.1).await?;
                rows_seen += 1;
                after = Some(*row);
            }
            if moves.is_end || moves.rows.is_empty() {
                self.look_at_large_channels().await?;
                return Ok(SyncCursor { settled: upto, walk: None });
            }
        }
    }

    /// Tells the conversation where the caller may see something in it that the cursor does not cover.
    async fn look_at(&mut self, conversation: ConversationId) -> Result<(), StoreError> {
        if !self.looked_at.insert(conversation) {
            return Ok(());
        }
        let mut position = Position::After(self.cursor.settled);
        let first = Amount { events: 1, bytes: PAGE_BYTES_MAX };
        while let Some(found) = self.deps.catch_ups.catch_up(self.user, conversation, position, first).await? {
            if let Some(event) = found.events.first() {
                let (conv, after_seq) = (conversation.to_string(), event.seq.0.saturating_sub(1));
                self.moved.push(Moved { conv, head: found.head.into(), after_seq });
                break;
            }
            // What was looked at may all be hidden from the caller, with something to see behind it.
            let upto = Position::At(found.upto.0, found.upto.1);
            if found.upto.0 >= found.head.0 || upto == position {
                break;
            }
            position = upto;
        }
        Ok(())
    }

    /// Channels above the fan-out threshold have no index rows (DESIGN §5): their heads are compared.
    async fn look_at_large_channels(&mut self) -> Result<(), StoreError> {
        if self.deps.settings.channel_members_max <= FAN_OUT_THRESHOLD {
            return Ok(());
        }
        for channel in self.deps.channels.channels_of(self.user).await? {
            let conversation = ConversationId::Channel(channel.id);
            if self.deps.history.head(conversation).await?.1 > self.cursor.settled {
                self.look_at(conversation).await?;
            }
        }
        Ok(())
    }
}

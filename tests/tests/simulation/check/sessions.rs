//! INV-4, INV-5 and the receivers' half of INV-3: nothing skipped, nothing out of order, nothing to non-members.

use talaria_core::{ConversationId, UserId};
use talaria_storage_memory::MemoryStore;

use super::Memberships;
use crate::client::Client;
use crate::client::sight::Epoch;
use crate::observer;

pub(super) fn check(
    client: &Client,
    store: &MemoryStore,
    conversations: &[ConversationId],
    memberships: &Memberships,
) -> Result<(), String> {
    let last_sight = client.sights.len();
    for (at, sight) in client.sights.iter().enumerate() {
        let last_epoch = sight.epochs.len();
        for (number, epoch) in sight.epochs.iter().enumerate() {
            for conversation in conversations {
                let last = check_no_gaps(client.user, epoch, *conversation, memberships)?;
                let is_live = at + 1 == last_sight && number + 1 == last_epoch && epoch.is_open && client.is_live();
                if is_live && covers(client, *conversation) {
                    check_complete(client.user, *conversation, last, store, memberships)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether the client's subscription reaches that conversation.
fn covers(client: &Client, conversation: ConversationId) -> bool {
    !matches!(conversation, ConversationId::Own(_)) || client.manner.hears_events
}

/// Each event that was first seen follows the one before it, or begins a membership. Up to where everything was seen; `None` where
/// that is not known.
fn check_no_gaps(
    user: UserId,
    epoch: &Epoch,
    conversation: ConversationId,
    memberships: &Memberships,
) -> Result<Option<u64>, String> {
    let mut upto = epoch.owed_after.as_ref().map(|heads| heads.get(&conversation).copied().unwrap_or(0));
    let Some(seen) = epoch.first_seen.get(&conversation) else { return Ok(upto) };
    for seq in seen {
        let Some(joined) = memberships.around(conversation, user, *seq) else {
            return Err(format!("INV-5: {conversation} {seq} was seen, in no membership"));
        };
        if let Some(before) = upto
            && *seq > joined.max(before + 1)
        {
            return Err(format!("INV-4: {conversation} {seq} was seen after {before}"));
        }
        upto = upto.max(Some(*seq));
    }
    // What was seen first may lie before what was owed.
    Ok(upto)
}

/// In the end everything of the user's own conversations was seen, as far as it is owed.
fn check_complete(
    user: UserId,
    conversation: ConversationId,
    last: Option<u64>,
    store: &MemoryStore,
    memberships: &Memberships,
) -> Result<(), String> {
    let (Some(joined), Some(last)) = (memberships.joined(conversation, user), last) else { return Ok(()) };
    let head = observer::head(store, conversation);
    if head > last.max(joined - 1) {
        return Err(format!("INV-4: of {conversation} nothing after {last} came, its head is {head}"));
    }
    Ok(())
}

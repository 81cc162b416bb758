//! Hands a committed event to the live sessions of its receivers; the envelope is encoded once for all of them.

use std::sync::Arc;

use talaria_core::{Event, UserId};
use talaria_port::deliver::Outgoing;
use talaria_port::directory::Directory;

use crate::members::Members;
use crate::posts::Posts;

/// A committed event with the members of its conversation at that moment.
pub(crate) struct FanOut {
    pub(crate) event: Arc<Event>,
    pub(crate) receivers: Members,
}

impl FanOut {
    /// The directory is read after the commit, or a session that registered meanwhile would be missed (D12).
    pub(crate) fn run(self, directory: &dyn Directory, users: &mut Vec<UserId>, posts: &mut Posts) {
        users.clear();
        // In a replay some may have joined since (INV-5).
        self.receivers.collect_for(self.event.seq, users);
        posts.deliver(&Arc::new(Outgoing::from(self.event)), users, directory);
    }
}

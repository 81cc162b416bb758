//! What a connection is lent for a turn.

use std::future::Future;
use std::sync::Arc;

use talaria_port::deliver::Address;
use talaria_port::ingest::ReplyTo;

use super::ticket;
use crate::delivery::Moment;
use crate::event_loop::mailbox::{Letter, News};
use crate::event_loop::reactor::Shared;

/// The loop's shared state and who is having its turn.
pub(crate) struct Turn<'a> {
    pub(crate) shared: &'a mut Shared,
    pub(crate) me: Address,
}

impl Turn<'_> {
    /// The moment as delivery wants it.
    pub(crate) fn moment(&self) -> Moment {
        Moment { rules: self.shared.deps.rules, settled: self.shared.settled }
    }

    /// Where the answer with that number comes back.
    pub(crate) fn reply(&self, number: u32) -> ReplyTo {
        ReplyTo { mailbox: self.me.mailbox, ticket: ticket::join(self.me, number) }
    }

    /// Sends news to another connection, of any loop.
    pub(crate) fn tell(&self, to: Address, news: News) {
        if let Some(mailbox) = self.shared.mailboxes.get(usize::from(to.mailbox)) {
            mailbox.letter(Letter::News(to.slot, to.nonce, news));
        }
    }

    /// Runs a read; its news come back to this connection, if it is still there.
    pub(crate) fn ask(&self, work: impl Future<Output = News> + Send + 'static) {
        let Some(mailbox) = self.shared.mailboxes.get(usize::from(self.me.mailbox)).map(Arc::clone) else { return };
        let me = self.me;
        self.shared.deps.spawn.spawn(Box::pin(async move {
            mailbox.letter(Letter::News(me.slot, me.nonce, work.await));
        }));
    }
}

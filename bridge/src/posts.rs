//! Collects what goes to each mailbox, so that one wake brings all of it.

use std::sync::Arc;

use talaria_core::{EventId, UserId};
use talaria_port::deliver::{Address, Completion, Hint, Mailbox, Outgoing, Post};
use talaria_port::directory::Directory;
use talaria_port::ingest::{Outcome, ReplyTo};

/// Posts under way, one for each mailbox.
#[derive(Debug)]
pub(crate) struct Posts {
    posts: Vec<Post>,
    found: Vec<Address>,
}

impl Posts {
    pub(crate) fn new(mailboxes: usize) -> Self {
        Self { posts: (0..mailboxes).map(|_| Post::default()).collect(), found: Vec::new() }
    }

    /// Answers a submission. A reply to a mailbox that is not there is dropped: nobody waits for it.
    pub(crate) fn complete(&mut self, reply: ReplyTo, outcome: Outcome) {
        if let Some(post) = self.posts.get_mut(usize::from(reply.mailbox)) {
            post.completions.push(Completion { ticket: reply.ticket, outcome });
        }
    }

    /// Hands an event to every live session of `users`.
    pub(crate) fn deliver(&mut self, event: &Arc<Outgoing>, users: &[UserId], directory: &dyn Directory) {
        self.found.clear();
        directory.addresses_of(users, &mut self.found);
        for address in &self.found {
            if let Some(post) = self.posts.get_mut(usize::from(address.mailbox)) {
                post.deliveries.push(event, *address);
            }
        }
    }

    /// Hands a hint to every live session of `users`.
    pub(crate) fn hint(&mut self, hint: &Hint, users: &[UserId], directory: &dyn Directory) {
        self.found.clear();
        directory.addresses_of(users, &mut self.found);
        for (mailbox, post) in self.posts.iter_mut().enumerate() {
            let to: Vec<_> = (self.found.iter())
                .filter(|address| usize::from(address.mailbox) == mailbox)
                .map(|address| (address.slot, address.nonce))
                .collect();
            if !to.is_empty() {
                post.hints.push((hint.clone(), to));
            }
        }
    }

    /// Tells every mailbox the number of a time that submissions were turned away or rolled back.
    pub(crate) fn rolled_back(&mut self, count: u64) {
        for post in &mut self.posts {
            post.rollbacks.push(count);
        }
    }

    /// Tells the watermark to every mailbox that gets something anyway, or to all.
    pub(crate) fn settle(&mut self, settled: EventId, to_all: bool) {
        for post in &mut self.posts {
            if to_all || !post.is_empty() {
                post.settled = Some(settled);
            }
        }
    }

    /// Posts what there is. Loops come first, so that whoever waits at the last mailbox, the API's, finds the loops told.
    pub(crate) fn flush(&mut self, mailboxes: &[Arc<dyn Mailbox>]) {
        for (post, mailbox) in self.posts.iter_mut().zip(mailboxes) {
            if !post.is_empty() {
                mailbox.post(std::mem::take(post));
            }
        }
    }
}

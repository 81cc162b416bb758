//! What is told live and never stored as an event: typing and read marks.

use talaria_core::{Seq, UserId};
use talaria_port::deliver::Hint;
use talaria_port::directory::Directory;

use crate::conversation::Conversation;
use crate::posts::Posts;

/// Tells the other members of a 1:1 conversation or channel that someone types.
pub(crate) fn typing(conversation: &Conversation, from: UserId, directory: &dyn Directory, posts: &mut Posts) {
    let mut users = Vec::with_capacity(conversation.receivers.len());
    conversation.receivers.collect(&mut users);
    users.retain(|user| *user != from);
    posts.hint(&Hint::Typing { conversation: conversation.id, from }, &users, directory);
}

/// Cuts a read mark to the head and tells the user's own sessions; returns how far it goes.
pub(crate) fn read(
    conversation: &Conversation,
    user: UserId,
    upto: Seq,
    directory: &dyn Directory,
    posts: &mut Posts,
) -> Seq {
    let seq = upto.min(conversation.committed.seq);
    posts.hint(&Hint::Read { conversation: conversation.id, seq }, &[user], directory);
    seq
}

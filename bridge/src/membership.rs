//! Membership changes: intent → event with seq → effective in SQL → answer (DESIGN §4 "Membership").

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use talaria_core::{ChannelId, Code, ConversationId, EventKind, Seq, UserId};
use talaria_port::channels::{Change, Channel, Intent};
use talaria_port::deliver::{Fence, Post};
use talaria_port::ids::Ids as _;
use talaria_port::ingest::{Intake, Outcome};
use talaria_port::membership::Membership;
use talaria_port::{Refusal, StoreError};
use tokio::sync::oneshot;

use crate::conversation::Entry;
use crate::members::Members;
use crate::stage::wake::event_kind;
use crate::trouble::told;
use crate::{Bridge, Inner};

#[async_trait]
impl Membership for Bridge {
    async fn create(&self, channel: Channel, members: &[UserId]) -> Result<(), Refusal> {
        let mut users = vec![channel.owner];
        users.extend(members.iter().filter(|user| **user != channel.owner));
        users.sort_unstable();
        users.dedup();
        if users.len() > self.inner.settings.channel_members_max {
            return Err(Code::ChannelFull.into());
        }
        let intents = self.intents(channel.id, channel.owner, &users, Change::Join)?;
        // Before they can be read, or who wakes the channel would take them up as well.
        let turn = self.inner.carried_out.take(intents);
        self.inner.deps.channels.create(&channel, &turn.intents).await.map_err(told)?;
        self.inner.finish_all(&turn.intents).await
    }

    async fn change(&self, channel: ChannelId, by: UserId, users: &[UserId], change: Change) -> Result<(), Refusal> {
        let members = self.members(channel).await?.ok_or(Code::UnknownChannel)?;
        let is_member = |user: &UserId| members.binary_search(user).is_ok();
        let wanted = change == Change::Leave;
        let mut users: Vec<_> = users.iter().copied().filter(|user| is_member(user) == wanted).collect();
        users.sort_unstable();
        users.dedup();
        if users.is_empty() {
            // Another call may have made it so a moment ago; what was posted before that may still be on its way (INV-5).
            self.inner.fence().await;
            return Ok(());
        }
        let intents = self.intents(channel, by, &users, change)?;
        let turn = self.inner.carried_out.take(intents);
        self.inner.deps.channels.begin(&turn.intents).await.map_err(told)?;
        self.inner.finish_all(&turn.intents).await
    }

    async fn members(&self, channel: ChannelId) -> Result<Option<Vec<UserId>>, Refusal> {
        let id = ConversationId::Channel(channel);
        let members = self.inner.receivers(id).await.map_err(told)?;
        let mut users = Vec::with_capacity(members.len());
        members.collect(&mut users);
        if users.is_empty() && self.inner.deps.channels.channel(channel).await.map_err(told)?.is_none() {
            return Ok(None);
        }
        Ok(Some(users))
    }
}

impl Bridge {
    fn intents(
        &self,
        channel: ChannelId,
        by: UserId,
        users: &[UserId],
        change: Change,
    ) -> Result<Vec<Intent>, Refusal> {
        let intent = |user: &UserId| Ok(Intent { id: self.inner.deps.ids.draw()?, channel, user: *user, by, change });
        users.iter().map(intent).collect()
    }
}

impl Inner {
    /// Who receives now: of an awake conversation its own copy. A sleeping channel is woken for it, because where one member asks,
    /// as after a return, the others soon do.
    pub(crate) async fn receivers(self: &Arc<Self>, id: ConversationId) -> Result<Members, StoreError> {
        loop {
            if let Some(members) = self.awake_receivers(id).or_else(|| Members::named(id)) {
                return Ok(members);
            }
            if self.begin_to_wake(id) {
                self.wake_and_wait(id).await;
                if let Some(members) = self.awake_receivers(id) {
                    return Ok(members);
                }
            }
            // Somebody else wakes it, or it cannot be woken.
            let (members, _) = self.read_members(id).await?.unwrap_or((Members::Channel(Arc::default()), Vec::new()));
            // Woken meanwhile, it may have changed since it was read.
            if self.awake_receivers(id).is_none() {
                return Ok(members);
            }
        }
    }

    /// Whether it slept and is this caller's to wake.
    fn begin_to_wake(&self, id: ConversationId) -> bool {
        let mut shard = self.shards.lock_of(id);
        let sleeps = !shard.entries.contains_key(&id);
        if sleeps {
            shard.entries.insert(id, Entry::Waking(Vec::new()));
        }
        sleeps
    }

    /// Wakes it in a task of its own: a caller that goes away meanwhile, such as a request whose client hung up, would leave it half
    /// awake, and all that is submitted to it would wait for ever.
    async fn wake_and_wait(self: &Arc<Self>, id: ConversationId) {
        let (woken, is_woken) = oneshot::channel();
        let inner = Arc::clone(self);
        self.deps.spawn.spawn(Box::pin(async move {
            inner.wake_up(id).await;
            // Nobody may wait any more.
            let _ = woken.send(());
        }));
        // An error: the process ends and runs no tasks any more.
        let _ = is_woken.await;
    }

    fn awake_receivers(&self, id: ConversationId) -> Option<Members> {
        match self.shards.lock_of(id).entries.get(&id) {
            Some(Entry::Awake(conversation)) => Some(conversation.receivers.clone()),
            _ => None,
        }
    }

    /// Takes up changes that were begun by an earlier process or call; what fails now is taken up at the next wake or start.
    pub(crate) async fn finish_intents(self: &Arc<Self>, intents: Vec<Intent>) {
        let turn = self.carried_out.take(intents);
        let finished = match self.deps.channels.unsettled().await {
            Ok(unsettled) => {
                // Who carried one out until a moment ago may have settled it, or taken it back.
                let is_left = |intent: &&Intent| unsettled.iter().any(|left| left.id == intent.id);
                let left: Vec<_> = turn.intents.iter().filter(is_left).copied().collect();
                self.finish_all(&left).await
            }
            Err(error) => Err(error.into()),
        };
        if let Err(refusal) = finished {
            tracing::warn!(%refusal, "a membership change could not be finished yet");
        }
    }

    /// Brings every intent to its end; the first failure is the answer, but the others are tried too.
    async fn finish_all(self: &Arc<Self>, intents: &[Intent]) -> Result<(), Refusal> {
        let mut settled = Vec::new();
        let mut answer = Ok(());
        for intent in intents {
            match self.sequence_intent(intent).await {
                Ok(Some(seq)) => settled.push((*intent, seq)),
                Ok(None) => {}
                Err(refusal) => answer = answer.and(Err(refusal)),
            }
        }
        self.deps.channels.settle(&settled).await.map_err(told)?;
        self.fence().await;
        answer
    }

    /// The event of a change in its channel, then the one in the user's own stream. `None`: it was already so, and is withdrawn.
    async fn sequence_intent(self: &Arc<Self>, intent: &Intent) -> Result<Option<Seq>, Refusal> {
        let subject = Bytes::from(format!("\"user\":\"{}\"", intent.user));
        let conversation = ConversationId::Channel(intent.channel);
        match self.submit_system(conversation, event_kind(intent.change), intent, subject).await {
            Outcome::Stored { seq, .. } => {
                let kind = match intent.change {
                    Change::Join => EventKind::ChannelJoined,
                    Change::Leave => EventKind::ChannelLeft,
                };
                let body = Bytes::from(format!("\"channel\":\"{}\"", intent.channel));
                match self.submit_system(ConversationId::Own(intent.user), kind, intent, body).await {
                    Outcome::Stored { .. } => Ok(Some(seq)),
                    // The intent stays and is taken up again; the change itself is stored.
                    _ => Err(Code::Unavailable.into()),
                }
            }
            Outcome::Done => {
                self.deps.channels.withdraw(intent.id).await.map_err(told)?;
                Ok(None)
            }
            Outcome::Refused(refusal) => {
                self.deps.channels.withdraw(intent.id).await.map_err(told)?;
                Err(refusal)
            }
            Outcome::Unavailable | Outcome::Stale => Err(Code::Unavailable.into()),
        }
    }

    async fn submit_system(
        self: &Arc<Self>,
        conversation: ConversationId,
        kind: EventKind,
        intent: &Intent,
        body: Bytes,
    ) -> Outcome {
        let intake = Intake::System { kind, subject: intent.user, intent: intent.id, body };
        self.submit_one(intent.by, conversation, intake).await
    }

    /// Waits until every loop has worked off what was posted to it so far: a removed member gets nothing any more (INV-5).
    async fn fence(&self) {
        let (passed, all_passed) = oneshot::channel();
        {
            let fence: Fence = Arc::new(Passed(Some(passed)));
            for mailbox in &self.deps.mailboxes {
                mailbox.post(Post { fence: Some(Arc::clone(&fence)), ..Post::default() });
            }
        }
        // Never sent: it ends when the last loop drops its copy.
        let _ = all_passed.await;
    }
}

/// Dropped when the last loop is through.
#[derive(Debug)]
struct Passed(#[allow(dead_code, reason = "dropping it is what tells")] Option<oneshot::Sender<()>>);

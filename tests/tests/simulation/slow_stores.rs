//! The memory stores as the process sees them: calls take time, so that other things happen in the middle of them, and fail.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use talaria_core::{ChannelId, ConversationId, Event, EventId, Handle, Seq, UserId};
use talaria_port::channels::{Channel, ChannelStore, Intent, Roster};
use talaria_port::intervals::Intervals;
use talaria_port::messages::{Amount, Checkpoint, Done, MessageStore, Round, Span, Window};
use talaria_port::people::People;
use talaria_port::sessions::{SessionKey, SessionStore, StoredSession};
use talaria_port::{StoreError, StoreErrorKind};
use talaria_storage_memory::{MemoryChannels, MemoryPeople, MemoryStore};

use crate::dice::Dice;

/// How long calls take and which of them fail.
pub(crate) struct Pace(Mutex<State>);

struct State {
    dice: Dice,
    slow_percent: usize,
    failing: usize,
    is_traced: bool,
}

impl Pace {
    pub(crate) fn new(dice: Dice, slow_percent: usize, is_traced: bool) -> Self {
        Self(Mutex::new(State { dice, slow_percent, failing: 0, is_traced }))
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.0.lock().unwrap().is_traced {
            println!("    {}", what());
        }
    }

    /// The next calls fail.
    pub(crate) fn fail(&self, count: usize) {
        self.0.lock().unwrap().failing = count;
    }

    fn is_slow(&self) -> bool {
        let State { dice, slow_percent, .. } = &mut *self.0.lock().unwrap();
        dice.percent(*slow_percent)
    }

    fn check(&self, operation: &'static str) -> Result<(), StoreError> {
        {
            let failing = &mut self.0.lock().unwrap().failing;
            if *failing == 0 {
                return Ok(());
            }
            *failing -= 1;
        }
        self.tell(|| format!("{operation} fails"));
        Err(StoreError::new(StoreErrorKind::Unavailable, operation).because("injected"))
    }

    /// Time goes by before what is asked happens, and again before the answer arrives.
    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.time_goes_by().await;
        self.check(operation)?;
        let answer = call.await;
        self.time_goes_by().await;
        answer
    }

    async fn time_goes_by(&self) {
        while self.is_slow() {
            let mut has_waited = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }
}

/// Messages and sessions.
pub(crate) struct SlowMessages(pub(crate) MemoryStore, pub(crate) Arc<Pace>);

#[async_trait]
impl MessageStore for SlowMessages {
    fn commit(&self, round: Arc<Round>, done: Done) {
        self.0.commit(round, done);
    }

    async fn checkpoint(&self, conversation: ConversationId) -> Result<Option<Checkpoint>, StoreError> {
        self.1.call("checkpoint", self.0.checkpoint(conversation)).await
    }

    async fn events(&self, conversation: ConversationId, span: Span, amount: Amount) -> Result<Vec<Event>, StoreError> {
        self.1.call("events", self.0.events(conversation, span, amount)).await
    }

    async fn seq_at(&self, conversation: ConversationId, id: EventId) -> Result<Seq, StoreError> {
        self.1.call("seq_at", self.0.seq_at(conversation, id)).await
    }

    async fn index(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.1.call("index", self.0.index(user, from, after, limit)).await
    }

    async fn moved(
        &self,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.1.call("moved", self.0.moved(from, after, limit)).await
    }

    async fn listed(
        &self,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.1.call("listed", self.0.listed(user, after, limit)).await
    }

    async fn read_mark(&self, user: UserId, conversation: ConversationId) -> Result<Seq, StoreError> {
        self.1.call("read_mark", self.0.read_mark(user, conversation)).await
    }

    async fn fanned_out(&self) -> Result<EventId, StoreError> {
        self.1.call("fanned_out", self.0.fanned_out()).await
    }
}

#[async_trait]
impl SessionStore for SlowMessages {
    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>, StoreError> {
        self.1.call("session", self.0.session(key)).await
    }

    async fn sessions(
        &self,
        after: Option<&SessionKey>,
        limit: usize,
    ) -> Result<Vec<(SessionKey, StoredSession)>, StoreError> {
        self.1.call("sessions", self.0.sessions(after, limit)).await
    }
}

/// Channels.
pub(crate) struct SlowChannels(pub(crate) MemoryChannels, pub(crate) Arc<Pace>);

#[async_trait]
impl ChannelStore for SlowChannels {
    async fn create(&self, channel: &Channel, intents: &[Intent]) -> Result<(), StoreError> {
        self.1.call("create", self.0.create(channel, intents)).await
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StoreError> {
        self.1.call("channel", self.0.channel(id)).await
    }

    async fn roster(&self, id: ChannelId) -> Result<Option<Roster>, StoreError> {
        self.1.call("roster", self.0.roster(id)).await
    }

    async fn begin(&self, intents: &[Intent]) -> Result<(), StoreError> {
        self.1.tell(|| format!("begin {intents:?}"));
        self.1.call("begin", self.0.begin(intents)).await
    }

    async fn settle(&self, settled: &[(Intent, Seq)]) -> Result<(), StoreError> {
        self.1.tell(|| format!("settle {settled:?}"));
        self.1.call("settle", self.0.settle(settled)).await
    }

    async fn withdraw(&self, intent: u64) -> Result<(), StoreError> {
        self.1.tell(|| format!("withdraw {intent}"));
        self.1.call("withdraw", self.0.withdraw(intent)).await
    }

    async fn unsettled(&self) -> Result<Vec<Intent>, StoreError> {
        self.1.call("unsettled", self.0.unsettled()).await
    }

    async fn intervals(&self, id: ChannelId, user: UserId) -> Result<Intervals, StoreError> {
        self.1.call("intervals", self.0.intervals(id, user)).await
    }

    async fn channels_of(&self, user: UserId) -> Result<Vec<Channel>, StoreError> {
        self.1.call("channels_of", self.0.channels_of(user)).await
    }
}

/// Users.
pub(crate) struct SlowPeople(pub(crate) MemoryPeople, pub(crate) Arc<Pace>);

#[async_trait]
impl People for SlowPeople {
    fn cached(&self, handle: &Handle) -> Option<UserId> {
        self.0.cached(handle)
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<UserId>, StoreError> {
        self.1.call("by_handle", self.0.by_handle(handle)).await
    }

    async fn exists(&self, user: UserId) -> Result<bool, StoreError> {
        self.1.call("exists", self.0.exists(user)).await
    }
}

//! Channels and members in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use talaria_core::{ChannelId, Seq, UserId};
use talaria_port::channels::{Channel, ChannelStore, Intent, Roster};
use talaria_port::intervals::Intervals;
use talaria_port::{StoreError, StoreErrorKind};

use crate::lock;

/// Channels for tests without SQL. Clones are the same store; [`durable_copy`](Self::durable_copy) is one of its own.
#[derive(Clone, Debug, Default)]
pub struct MemoryChannels {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    tables: Tables,
    /// With what the next calls fail, and how many.
    fault: Option<(StoreErrorKind, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    channels: BTreeMap<ChannelId, Channel>,
    intents: BTreeMap<u64, Intent>,
    intervals: BTreeMap<(ChannelId, UserId), Intervals>,
}

impl MemoryChannels {
    /// No channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is left after a crash at this moment: everything that was written, without faults.
    #[must_use]
    pub fn durable_copy(&self) -> Self {
        let tables = lock(&self.state).tables.clone();
        Self { state: Arc::new(Mutex::new(State { tables, fault: None })) }
    }

    /// The next `count` calls fail with `kind` and change nothing.
    pub fn fail(&self, kind: StoreErrorKind, count: usize) {
        lock(&self.state).fault = (count > 0).then_some((kind, count));
    }

    fn call<T>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&mut Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = lock(&self.state);
        if let Some((kind, count)) = state.fault {
            state.fault = (count > 1).then_some((kind, count - 1));
            return Err(StoreError::new(kind, operation).because("injected"));
        }
        call(&mut state.tables)
    }
}

impl Tables {
    /// Members of all channels now: channel, user, the seq of the join.
    fn members(&self) -> impl Iterator<Item = (ChannelId, UserId, Seq)> {
        self.intervals.iter().filter_map(|((channel, user), of)| of.joined().map(|seq| (*channel, *user, seq)))
    }

    /// All of them or none.
    fn begin(&mut self, intents: &[Intent]) -> Result<(), StoreError> {
        for intent in intents {
            self.needs_channel(intent)?;
            if self.intents.get(&intent.id).is_some_and(|stored| stored != intent) {
                return Err(StoreError::new(StoreErrorKind::Conflict, "begin"));
            }
        }
        self.intents.extend(intents.iter().map(|intent| (intent.id, *intent)));
        Ok(())
    }

    fn needs_channel(&self, intent: &Intent) -> Result<(), StoreError> {
        if self.channels.contains_key(&intent.channel) {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "intent").because("there is no such channel"))
    }
}

#[async_trait]
impl ChannelStore for MemoryChannels {
    async fn create(&self, channel: &Channel, intents: &[Intent]) -> Result<(), StoreError> {
        self.call("create", |tables| {
            match tables.channels.get(&channel.id) {
                Some(stored) if stored == channel => return Ok(()),
                Some(_) => return Err(StoreError::new(StoreErrorKind::Conflict, "create")),
                None => {}
            }
            tables.channels.insert(channel.id, channel.clone());
            let begun = tables.begin(intents);
            if begun.is_err() {
                tables.channels.remove(&channel.id);
            }
            begun
        })
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StoreError> {
        self.call("channel", |tables| Ok(tables.channels.get(&id).cloned()))
    }

    async fn roster(&self, id: ChannelId) -> Result<Option<Roster>, StoreError> {
        self.call("roster", |tables| {
            let Some(channel) = tables.channels.get(&id).cloned() else { return Ok(None) };
            let members = tables.members().filter(|member| member.0 == id).map(|(_, user, seq)| (user, seq)).collect();
            let intents = tables.intents.values().filter(|intent| intent.channel == id).copied().collect();
            Ok(Some(Roster { channel, members, intents }))
        })
    }

    async fn begin(&self, intents: &[Intent]) -> Result<(), StoreError> {
        self.call("begin", |tables| tables.begin(intents))
    }

    async fn settle(&self, settled: &[(Intent, Seq)]) -> Result<(), StoreError> {
        self.call("settle", |tables| {
            for (intent, _) in settled {
                tables.needs_channel(intent)?;
            }
            for (intent, seq) in settled {
                tables.intents.remove(&intent.id);
                let of = tables.intervals.entry((intent.channel, intent.user)).or_default();
                of.settle(intent.change, *seq);
            }
            Ok(())
        })
    }

    async fn withdraw(&self, intent: u64) -> Result<(), StoreError> {
        self.call("withdraw", |tables| {
            tables.intents.remove(&intent);
            Ok(())
        })
    }

    async fn unsettled(&self) -> Result<Vec<Intent>, StoreError> {
        self.call("unsettled", |tables| Ok(tables.intents.values().copied().collect()))
    }

    async fn intervals(&self, id: ChannelId, user: UserId) -> Result<Intervals, StoreError> {
        self.call("intervals", |tables| Ok(tables.intervals.get(&(id, user)).cloned().unwrap_or_default()))
    }

    async fn channels_of(&self, user: UserId) -> Result<Vec<Channel>, StoreError> {
        self.call("channels_of", |tables| {
            let of_user = tables.members().filter(|member| member.1 == user);
            Ok(of_user.filter_map(|(channel, ..)| tables.channels.get(&channel).cloned()).collect())
        })
    }
}

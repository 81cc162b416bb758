//! The API over small fakes of the message path: one list of events a conversation, members as the channel store has them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use talaria_api::{Deps, Settings, router};
use talaria_core::{ChannelId, Code, ConversationId, Event, EventId, EventKind, Seq, UserId};
use talaria_port::channels::{Change, Channel, ChannelStore, Intent};
use talaria_port::history::{CatchUp, CatchUps, ConversationSummary, History, HistoryPage, Moves, PageAt};
use talaria_port::ids::Ids;
use talaria_port::ingest::{Intake, Outcome, Submit};
use talaria_port::membership::Membership;
use talaria_port::messages::{Amount, Window};
use talaria_port::sessions::Position;
use talaria_port::{Refusal, StoreError};
use talaria_storage_memory::{ManualClock, MemoryChannels};
use tower::ServiceExt as _;

/// Everything behind the API but accounts.
#[derive(Default)]
pub(crate) struct Chat {
    channels: MemoryChannels,
    events: Mutex<BTreeMap<ConversationId, Vec<Arc<Event>>>>,
    reads: Mutex<BTreeMap<(UserId, ConversationId), Seq>>,
    drawn: AtomicU64,
    /// Submissions are answered as unavailable.
    pub(crate) is_full: AtomicBool,
    /// Submissions are never answered.
    pub(crate) is_stuck: AtomicBool,
    /// Catching up looks at one event a time and hides those below this seq.
    pub(crate) hidden_below: AtomicU64,
}

impl Chat {
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> bool {
        let ConversationId::Channel(id) = conversation else { return conversation.names(user) == Some(true) };
        self.members(id).await.unwrap().is_some_and(|members| members.contains(&user))
    }

    fn log(&self, conversation: ConversationId) -> Vec<Arc<Event>> {
        self.events.lock().unwrap().get(&conversation).cloned().unwrap_or_default()
    }

    fn store(&self, from: UserId, conversation: ConversationId, key: Option<Box<str>>, body: bytes::Bytes) -> Outcome {
        let mut events = self.events.lock().unwrap();
        let log = events.entry(conversation).or_default();
        if let Some(first) = log.iter().find(|event| key.is_some() && event.key == key && event.from == from) {
            return Outcome::Stored { id: first.id, seq: first.seq, repeated: true };
        }
        let last = log.last();
        let seq = last.map_or(Seq(1), |last| last.seq.next());
        let event = Event {
            conversation,
            seq,
            id: EventId(self.draw().unwrap()),
            prev_id: last.map_or(EventId::ZERO, |last| last.id),
            messages: seq.0,
            epoch: 1,
            from,
            kind: EventKind::Message,
            key,
            origin: None,
            body,
        };
        let id = event.id;
        log.push(Arc::new(event));
        Outcome::Stored { id, seq, repeated: false }
    }
}

impl Ids for Chat {
    fn draw(&self) -> Result<u64, StoreError> {
        Ok(1_000_000 + self.drawn.fetch_add(1, Ordering::Relaxed))
    }
}

#[async_trait]
impl Submit for Chat {
    async fn submit_one(&self, user: UserId, conversation: ConversationId, intake: Intake) -> Outcome {
        if self.is_full.load(Ordering::Relaxed) {
            return Outcome::Unavailable;
        }
        if self.is_stuck.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if !self.is_member(user, conversation).await {
            return Outcome::Refused(Code::UnknownChannel.into());
        }
        match intake {
            Intake::Message { body, key, .. } => self.store(user, conversation, key, body),
            Intake::Read(seq) => {
                self.reads.lock().unwrap().insert((user, conversation), seq);
                Outcome::Done
            }
            _ => Outcome::Done,
        }
    }
}

#[async_trait]
impl Membership for Chat {
    async fn create(&self, channel: Channel, members: &[UserId]) -> Result<(), Refusal> {
        self.channels.create(&channel, &[]).await?;
        self.change(channel.id, channel.owner, members, Change::Join).await
    }

    async fn change(&self, channel: ChannelId, by: UserId, users: &[UserId], change: Change) -> Result<(), Refusal> {
        for user in users {
            let id = self.draw()?;
            self.channels.settle(&[(Intent { id, channel, user: *user, by, change }, Seq(id))]).await?;
        }
        Ok(())
    }

    async fn members(&self, channel: ChannelId) -> Result<Option<Vec<UserId>>, Refusal> {
        let roster = self.channels.roster(channel).await?;
        Ok(roster.map(|roster| roster.members.into_iter().map(|(user, _)| user).collect()))
    }
}

#[async_trait]
impl History for Chat {
    async fn page(&self, user: UserId, conv: ConversationId, at: PageAt, limit: usize) -> Result<HistoryPage, Refusal> {
        if !self.is_member(user, conv).await {
            return Err(Code::UnknownChannel.into());
        }
        let log = self.log(conv);
        let head = log.last().map_or(Seq::ZERO, |last| last.seq);
        let nearest = |upto: &dyn Fn(&Event) -> bool| {
            let mut events: Vec<_> = log.iter().rev().filter(|event| upto(event)).take(limit).cloned().collect();
            events.reverse();
            events
        };
        let following =
            |from: &dyn Fn(&Event) -> bool| log.iter().filter(|event| from(event)).take(limit).cloned().collect();
        let events = match at {
            PageAt::Newest => nearest(&|_| true),
            PageAt::Before(seq) => nearest(&|event| event.seq < seq),
            PageAt::BeforeId(id) => nearest(&|event| event.id < id),
            PageAt::After(seq) => following(&|event| event.seq > seq),
            PageAt::AfterId(id) => following(&|event| event.id > id),
            PageAt::Around(seq) => following(&|event| event.seq.0 + (limit as u64) / 2 >= seq.0),
        };
        Ok(HistoryPage { events, head })
    }

    async fn conversations(
        &self,
        user: UserId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<ConversationSummary>, Refusal> {
        let logs = self.events.lock().unwrap().clone();
        let mut found = Vec::new();
        for (conversation, log) in logs {
            let last = log.last().unwrap();
            if self.is_member(user, conversation).await && before.is_none_or(|before| last.id < before) {
                let read = self.reads.lock().unwrap().get(&(user, conversation)).copied().unwrap_or_default();
                let head = (last.seq, last.id);
                found.push(ConversationSummary { conversation, head, messages: last.messages, read });
            }
        }
        found.sort_by_key(|summary| std::cmp::Reverse(summary.head.1));
        found.truncate(limit);
        Ok(found)
    }

    async fn head(&self, conversation: ConversationId) -> Result<(Seq, EventId), StoreError> {
        Ok(self.log(conversation).last().map_or((Seq::ZERO, EventId::ZERO), |last| (last.seq, last.id)))
    }

    fn settled(&self) -> EventId {
        EventId(1_000_000 + self.drawn.load(Ordering::Relaxed)).max(EventId(1)).0.checked_sub(1).map(EventId).unwrap()
    }
}

#[async_trait]
impl CatchUps for Chat {
    async fn catch_up(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        amount: Amount,
    ) -> Result<Option<CatchUp>, StoreError> {
        if !self.is_member(user, conversation).await {
            return Ok(None);
        }
        let head = self.head(conversation).await?;
        let is_new = |event: &&Arc<Event>| match position {
            Position::At(seq, _) => event.seq > seq,
            Position::After(id) => event.id > id,
        };
        let events: Vec<_> = self.log(conversation).iter().filter(is_new).take(amount.events).cloned().collect();
        let upto = events.last().map_or(head, |last| (last.seq, last.id));
        let hidden_below = Seq(self.hidden_below.load(Ordering::Relaxed));
        let events = events.into_iter().filter(|event| event.seq >= hidden_below).collect();
        Ok(Some(CatchUp { events, upto, head }))
    }

    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, StoreError> {
        Ok(Self::is_member(self, user, conversation).await)
    }

    async fn moves(
        &self,
        _user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
    ) -> Result<Moves, StoreError> {
        // One row a call, so that walks have many steps; rows of conversations that are not the user's too.
        let logs = self.events.lock().unwrap();
        let rows = logs.keys().map(|conversation| (Window::of(EventId(1)), *conversation));
        let rows = rows.filter(|row| row.0 >= from && after.is_none_or(|after| *row > after));
        let rows: Vec<_> = rows.take(1).collect();
        let is_end = rows.is_empty();
        Ok(Moves { rows, is_end })
    }
}

/// A server with its fakes.
pub(crate) struct World {
    pub(crate) chat: Arc<Chat>,
    pub(crate) is_ready: Arc<AtomicBool>,
    router: Router,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Vec<u8>,
    pub(crate) json: Value,
}

impl Answer {
    /// A problem of that status and code, in the form of RFC 9457.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status.as_u16(), &self.json["code"]), (status, &json!(code)), "{}", self.json);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("urn:talaria:problem:{code}"));
        assert!(self.json["title"].is_string() && self.json["detail"].is_string());
        self
    }

    /// The problem names that field.
    #[track_caller]
    pub(crate) fn names(&self, field: &str) {
        assert_eq!(self.json["field"], field, "{}", self.json);
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        &self.json
    }
}

/// Someone with an account and a token.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings { channel_members_max: 3 }).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let chat = Arc::new(Chat::default());
        let is_ready = Arc::new(AtomicBool::new(true));
        let ready = is_ready.clone();
        let deps = Deps {
            accounts: crate::accounts::fresh(),
            channels: Arc::new(chat.channels.clone()),
            membership: chat.clone(),
            history: chat.clone(),
            submit: chat.clone(),
            catch_ups: chat.clone(),
            ids: chat.clone(),
            clock: Arc::new(ManualClock::new(1_764_000_000_000)),
            ready: Arc::new(move || ready.load(Ordering::Relaxed)),
            settings,
        };
        Self { chat, is_ready, router: router(deps) }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let raw = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        let json = serde_json::from_slice(&raw).unwrap_or(Value::Null);
        Answer { status, headers, raw, json }
    }

    /// A request by nobody in particular.
    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    /// A request with a token.
    pub(crate) async fn by(&self, who: &Person, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", who.token));
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, who: &Person, path: &str) -> Answer {
        self.by(who, "GET", path, Body::empty()).await
    }

    /// Signs up and logs in.
    pub(crate) async fn person(&self, handle: &str) -> Person {
        let account = json!({"handle": handle, "password": PASSWORD, "name": "someone"});
        let id = self.anonymous("POST", "/v1/users", account.to_string()).await.is(201)["id"].clone();
        let log_in = json!({"handle": handle, "password": PASSWORD, "device": "phone"});
        let token = self.anonymous("POST", "/v1/tokens", log_in.to_string()).await.is(201)["access_token"].clone();
        Person { id: id.as_str().unwrap().to_owned(), token: token.as_str().unwrap().to_owned() }
    }

    /// A channel with those members besides its owner.
    pub(crate) async fn channel(&self, owner: &Person, members: &[&str]) -> String {
        let wish = json!({"name": "lunch", "members": members}).to_string();
        let made = self.by(owner, "POST", "/v1/channels", wish).await;
        made.is(201)["id"].as_str().unwrap().to_owned()
    }
}

/// Good enough for the rules of passwords.
pub(crate) const PASSWORD: &str = "made for tests only";

//! What clients saw of a run, as plain data: the checker reads nothing else.

use std::collections::BTreeMap;

use serde_json::Value;

/// A run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// What each sending session sent, in its order.
    pub(crate) senders: Vec<Sender>,
    /// What history gives at the end, each conversation from its first event to its head.
    pub(crate) stored: BTreeMap<String, Vec<Event>>,
    /// What each receiving session was shown.
    pub(crate) receivers: Vec<Receiver>,
}

/// A sending session.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) name: String,
    /// Its user's id.
    pub(crate) user: String,
    pub(crate) sent: Vec<Sent>,
}

/// A message, sent once or again and again.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) conversation: String,
    /// Says which message it is: no two messages of a run have the same.
    pub(crate) text: String,
    pub(crate) key: Option<String>,
    pub(crate) outcome: Outcome,
}

/// What the sender knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing.
    Open,
    /// A success came, with id and seq where the protocol has room for them.
    Acknowledged(Option<(u64, u64)>),
    /// Refused for good.
    Refused(String),
}

/// An event as clients see it, in history and on the inbox alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) conversation: String,
    pub(crate) seq: u64,
    pub(crate) id: u64,
    pub(crate) from: String,
    /// Its `type`.
    pub(crate) kind: String,
    pub(crate) key: Option<String>,
    pub(crate) text: Option<String>,
}

impl Event {
    /// Reads an envelope.
    pub(crate) fn of(envelope: &Value) -> Self {
        let text = |field: &str| envelope[field].as_str().map(str::to_owned);
        let needed = |field: &str| text(field).unwrap_or_else(|| panic!("no `{field}` in {envelope}"));
        Self {
            conversation: needed("conv"),
            seq: envelope["seq"].as_u64().unwrap_or_else(|| panic!("no `seq` in {envelope}")),
            id: needed("id").parse().unwrap(),
            from: needed("from"),
            kind: needed("type"),
            key: text("key"),
            text: text("text"),
        }
    }
}

/// A receiving session.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    pub(crate) name: String,
    /// Whether the session outlives its connections; only then everything is owed to it.
    pub(crate) is_kept: bool,
    /// Its user's conversations with the seq that each had when the session subscribed: what follows is owed.
    pub(crate) owed_after: BTreeMap<String, u64>,
    /// What came on each of its connections, in the order of coming.
    pub(crate) connections: Vec<Vec<Event>>,
}

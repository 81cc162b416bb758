//! What was said and what its sender was told: the one side of every promise about publishes.

use std::collections::BTreeMap;

use talaria_core::{ConversationId, UserId};

/// What the sender was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// A success; a 5.0 client also learns id and seq.
    Stored(Option<(u64, u64)>),
    /// A refusal.
    Refused,
    /// PUBACK of a 3.1.1 client that may have missed the rejection before it.
    Unclear,
}

/// Why it may not be held to everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Stored at most once, in the order sent.
    Ordinary,
    /// Its key was used by another session too: the place is that of the first.
    SharesItsKey,
    /// Stored at most once, in no order: a will, and what is sent at QoS 0 beside resends.
    Loose,
    /// The same text under the same packet id again and again, as `mosquitto_pub -i kim -m ok` does: as many messages.
    SameAgain,
}

/// Something that a client published.
#[derive(Debug)]
pub(crate) struct Said {
    /// Of which client.
    pub(crate) client: usize,
    pub(crate) user: UserId,
    pub(crate) conversation: ConversationId,
    /// Unique, unless it is the same again.
    pub(crate) text: String,
    pub(crate) key: Option<String>,
    pub(crate) manner: Manner,
    /// A resend of it need not have been known for one (PROTOCOL "Never twice").
    pub(crate) may_repeat: bool,
    pub(crate) answer: Option<Answer>,
    /// The conversation's head at that moment.
    pub(crate) head: u64,
}

/// Everything that was said, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) said: Vec<Said>,
    by_text: BTreeMap<String, usize>,
    texts: usize,
}

impl Ledger {
    /// A text that nobody used before, of about that many bytes.
    pub(crate) fn fresh_text(&mut self, bytes: usize) -> String {
        self.texts += 1;
        let mut text = format!("m{}-", self.texts);
        text.extend(std::iter::repeat_n('x', bytes.saturating_sub(text.len())));
        text
    }

    /// Enters something; its number.
    pub(crate) fn enter(&mut self, said: Said) -> usize {
        let number = self.said.len();
        self.by_text.entry(said.text.clone()).or_insert(number);
        self.said.push(said);
        number
    }

    /// The first who said that.
    pub(crate) fn by_text(&self, text: &str) -> Option<usize> {
        self.by_text.get(text).copied()
    }

    /// Notes an answer; the first success stays.
    pub(crate) fn answer(&mut self, number: usize, answer: Answer) {
        let said = &mut self.said[number];
        if !matches!(said.answer, Some(Answer::Stored(_))) {
            said.answer = Some(answer);
        }
    }
}

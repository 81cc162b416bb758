//! Values that every part of Talaria speaks in: ids, conversations, topics, events, limits, codes and the id clock.
//!
//! Nothing here does IO, knows a runtime or names a seam (those are in `port/`). Start with [`conversation`] and
//! [`event`]; [`limits`] is the one place where bounds are written down.

pub mod code;
pub mod conversation;
pub mod event;
pub mod handle;
pub mod id;
pub mod id_clock;
pub mod limits;
pub mod payload;
pub mod rules;
pub mod topic;

pub use code::Code;
pub use conversation::{ConversationId, Seq};
pub use event::{Event, EventKind, Origin};
pub use handle::Handle;
pub use id::{ChannelId, DeviceId, EventId, UserId};
pub use id_clock::IdClock;
pub use rules::{Rule, Rules};

//! The embedded message store, on the `fjall` engine in one folder (DESIGN §5).
//!
//! Start at [`FjallStore`]. A round is one batch of the engine, made durable by one sync of its journal, and then a
//! watermark in a file of our own, so that a journal that lost its tail is noticed. [`FolderLease`] is the lock of the data
//! folder. Nothing here knows what the rows mean to the bridge.
//!
//! | file | subject |
//! | --- | --- |
//! | `store` | the port on top of the rest |
//! | `writer` | one round: room, batch, sync, watermark; and what follows when a step fails |
//! | `engine` | opening and closing the engine, its errors and panics |
//! | `journal`, `manifest`, `table`, `archive` | what the engine does not check in its own files, checked before it may open them |
//! | `watermark`, `slots` | the last acknowledged round |
//! | `lease` | the folder's lock and the id ceiling |
//! | `rows/` | keys and values as they lie on disk |
//! | `batch` | a round as rows |
//! | `events`, `index`, `sessions` | reading them back |

mod archive;
mod batch;
mod engine;
mod error;
mod events;
mod folder;
mod index;
mod journal;
mod lease;
mod manifest;
mod options;
mod room;
mod rows;
mod sessions;
mod slots;
mod store;
mod table;
mod watermark;
mod writer;

pub use lease::FolderLease;
pub use options::Options;
pub use store::FjallStore;

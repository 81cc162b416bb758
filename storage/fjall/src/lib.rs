//! The embedded message store, on the `fjall` engine in one folder (DESIGN §5).
//!
//! Start at [`FjallStore`]. A round is one batch of the engine, made durable by one sync of its journal, and then a
//! watermark in a file of our own, so that a journal that lost its tail is noticed. [`FolderLease`] is the lock of the data
//! folder. Nothing here knows what the rows mean to the bridge.
//!
//! The engine is `fjall` 3.1.13 on `lsm-tree` 3.1.10: what it checks in its files and what it does not was read in its source,
//! and what it does not is checked here before it may open them. A change of version begins with reading it again.
//!
//! There are no time buckets and no bucket directory (DESIGN §5): they bound partitions, and here a conversation's rows are one
//! sorted run in which any seq is found by one seek and any id by the logarithm.
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

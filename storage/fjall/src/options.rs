//! What an operator or a test may choose.

use std::io;
use std::path::Path;

use crate::room::free_bytes;

/// How a store is opened. Every size is fixed: the store's memory does not grow with what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Below this many free bytes rounds are refused as [`Full`](talaria_port::StoreErrorKind::Full) before the engine meets
    /// a full disk.
    pub reserve_bytes: u64,
    /// Blocks of tables kept in memory, for all reads together.
    pub cache_bytes: u64,
    /// Events kept in memory before they are written as a table; up to four such memtables at once. Smaller ones are faster to
    /// insert to, larger ones are merged less often.
    pub events_memtable_bytes: u64,
    /// The same for all other rows, which are small.
    pub rows_memtable_bytes: u64,
    /// Journals kept before the engine writes the tables that hold them back; at least 64 MiB. A start reads them twice, once
    /// to check them.
    pub journal_bytes: u64,
    /// Free bytes of the file system that holds a folder.
    pub free_bytes: fn(&Path) -> io::Result<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reserve_bytes: 64 * 1024 * 1024,
            cache_bytes: 64 * 1024 * 1024,
            events_memtable_bytes: 16 * 1024 * 1024,
            rows_memtable_bytes: 8 * 1024 * 1024,
            journal_bytes: 128 * 1024 * 1024,
            free_bytes,
        }
    }
}

//! What the engine does not check before it acts on it: which tables there are (`lsm-tree` 3.1.10, `version/recovery.rs`).
//!
//! Each table folder has a file `current` that names a version file and holds its checksum; the engine reads the name and
//! leaves the checksum alone. A flipped bit in a version would make it delete the tables that are no longer listed, a missing
//! `current` the whole folder. So all of it is checked here first; the tables' blocks have checksums that the engine does check.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::archive::{Fixed, sections};
use crate::error::Failure;
use crate::rows::number::Reach;
use crate::table;

/// Written when the engine's folder is complete.
const MARKER: &str = "version";
const MARKER_BYTES: [u8; 4] = *b"FJL\x03";

/// Holds a folder for each table, by its number: the engine's own, which names the others, then ours in the order in which
/// they are made.
pub(crate) const TABLES: &str = "keyspaces";
const OWN: &str = "0";
const EVENTS: &str = "1";
const ROWS: &str = "2";

/// Bytes of `current`: version number, checksum of its file, kind of checksum.
const CURRENT_BYTES: usize = 8 + 16 + 1;
const XXH3: u8 = 0;

/// Checks the engine's folder of a store that was complete once, and gives the highest sequence numbers in its tables.
pub(crate) fn check(engine: &Path) -> Result<Reach, Failure> {
    if std::fs::read(engine.join(MARKER))? != MARKER_BYTES {
        return Err(Failure::damaged(format_args!("{}", engine.join(MARKER).display())));
    }
    let tables = engine.join(TABLES);
    check_table(&tables.join(OWN))?;
    Ok(Reach { events: check_table(&tables.join(EVENTS))?, rows: check_table(&tables.join(ROWS))? })
}

/// Whether any table but the engine's own was ever written.
pub(crate) fn holds_rows(engine: &Path) -> Result<bool, Failure> {
    for table in [EVENTS, ROWS] {
        let tables = match std::fs::read_dir(engine.join(TABLES).join(table).join("tables")) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            tables => tables?,
        };
        if tables.count() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_table(folder: &Path) -> Result<Option<u64>, Failure> {
    let damaged = |what: &str| Failure::damaged(format_args!("{}: {what}", folder.display()));
    let current: [u8; CURRENT_BYTES] =
        std::fs::read(folder.join("current"))?.try_into().map_err(|_| damaged("the length of `current`"))?;
    let mut reader = Fixed(&current);
    let number = u64::from_le_bytes(reader.array()?);
    let checksum = u128::from_le_bytes(reader.array()?);
    let path = folder.join(format!("v{number}"));
    let version = std::fs::read(&path)?;
    if reader.array()? != [XXH3] || xxh3_128(&version) != checksum {
        return Err(damaged("the checksum of its version"));
    }
    let section = sections(&File::open(&path)?, &path)?.into_iter().find(|section| section.name == b"tables");
    let listed = section.and_then(|section| version.get(usize::try_from(section.at).ok()?..));
    let mut highest = None;
    for (table, offset) in list(listed.ok_or_else(|| damaged("its version lists no tables"))?)? {
        let in_table = table::highest_seqno(&folder.join("tables").join(table.to_string()))?;
        highest = highest.max(Some(in_table.saturating_add(offset)));
    }
    Ok(highest)
}

/// All tables, and what is added to their sequence numbers: levels, runs in each, tables in each with the checksums of their
/// files, which would take reading everything.
fn list(bytes: &[u8]) -> Result<Vec<(u64, u64)>, Failure> {
    let mut reader = Fixed(bytes);
    let mut tables = Vec::new();
    let [levels] = reader.array()?;
    for _ in 0..levels {
        let [runs] = reader.array()?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(reader.array()?) {
                let table = u64::from_le_bytes(reader.array()?);
                let _kind_and_checksum: [u8; 1 + 16] = reader.array()?;
                tables.push((table, u64::from_le_bytes(reader.array()?)));
            }
        }
    }
    Ok(tables)
}

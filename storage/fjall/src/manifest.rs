//! What the engine does not check before it acts on it: which tables there are (`lsm-tree` 3.1.10, `version/recovery.rs`).
//!
//! Each table folder has a file `current` that names a version file and holds its checksum; the engine reads the name and
//! leaves the checksum alone. A flipped bit in a version would make it delete the tables that are no longer listed, a missing
//! `current` the whole folder. So all of it is checked here first; the tables' blocks have checksums that the engine does check.

use std::io::ErrorKind;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::archive::{Fixed, sections};
use crate::error::Failure;

/// Written when the engine's folder is complete.
const MARKER: &str = "version";
const MARKER_BYTES: [u8; 4] = *b"FJL\x03";

/// Holds one folder for the engine's own table, which names the others, and one for each of ours.
pub(crate) const TABLES: &str = "keyspaces";
const COUNT: usize = 3;

/// Bytes of `current`: version number, checksum of its file, kind of checksum.
const CURRENT_BYTES: usize = 8 + 16 + 1;
const XXH3: u8 = 0;

/// Checks the engine's folder of a store that was complete once.
pub(crate) fn check(engine: &Path) -> Result<(), Failure> {
    if std::fs::read(engine.join(MARKER))? != MARKER_BYTES {
        return Err(Failure::damaged(format_args!("{}", engine.join(MARKER).display())));
    }
    let tables = engine.join(TABLES);
    for number in 0..COUNT {
        check_table(&tables.join(number.to_string()))?;
    }
    Ok(())
}

/// Whether any table but the engine's own was ever written.
pub(crate) fn holds_rows(engine: &Path) -> Result<bool, Failure> {
    for number in 1..COUNT {
        let tables = match std::fs::read_dir(engine.join(TABLES).join(number.to_string()).join("tables")) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            tables => tables?,
        };
        if tables.count() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_table(folder: &Path) -> Result<(), Failure> {
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
    let section = sections(&path)?.into_iter().find(|section| section.name == b"tables");
    let section = section.ok_or_else(|| damaged("its version lists no tables"))?;
    let listed = usize::try_from(section.at).ok().and_then(|at| version.get(at..));
    for table in list(listed.ok_or_else(|| damaged("its list of tables"))?)? {
        sections(&folder.join("tables").join(table.to_string()))?;
    }
    Ok(())
}

/// The numbers of all tables: levels, runs in each, tables in each, with kind and value of their checksums.
fn list(bytes: &[u8]) -> Result<Vec<u64>, Failure> {
    let mut reader = Fixed(bytes);
    let mut tables = Vec::new();
    let [levels] = reader.array()?;
    for _ in 0..levels {
        let [runs] = reader.array()?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(reader.array()?) {
                tables.push(u64::from_le_bytes(reader.array()?));
                let _checksum_and_seqno: [u8; 1 + 16 + 8] = reader.array()?;
            }
        }
    }
    Ok(tables)
}

//! The disk under the servers' data: that it is one, and what it needs to make 4 KiB durable, the unit of the latency
//! goals.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The size of the append in the goals' definition.
const APPEND_BYTES: usize = 4096;
/// `f_type` of a tmpfs (statfs(2)).
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Refuses a folder in memory: a sync there costs nothing and every figure of Talaria would be too good.
pub(crate) fn check_is_real(folder: &Path) -> Result<()> {
    let file_system = rustix::fs::statfs(folder).with_context(|| format!("statfs {}", folder.display()))?;
    if file_system.f_type == TMPFS_MAGIC {
        bail!("{} is in memory; --folder names one on a disk", folder.display());
    }
    Ok(())
}

/// Appends and syncs `count` times to a new file in `folder`; nanoseconds of each.
pub(crate) fn append_and_sync(folder: &Path, count: usize) -> Result<Vec<u64>> {
    let path = folder.join("fdatasync.probe");
    let mut file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let block = [0x5a_u8; APPEND_BYTES];
    let mut times_ns = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        file.write_all(&block)?;
        rustix::fs::fdatasync(&file)?;
        times_ns.push(u64::try_from(started.elapsed().as_nanos())?);
    }
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(times_ns)
}

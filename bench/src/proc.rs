//! What `/proc` tells about a server process: CPU time, memory, open files.
//!
//! It reads only; starting and stopping is `server::process`.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often a process is looked at while waiting for it to be quiet.
const QUIET_SAMPLE: Duration = Duration::from_millis(10);
/// A process is quiet when it used no more than `QUIET_CPU` for this long.
const QUIET_FOR: Duration = Duration::from_millis(200);
/// 2 % of a core: idle servers tick, too.
const QUIET_CPU: Duration = Duration::from_millis(4);

/// CPU time, user and system, of all threads of a process up to a moment.
#[derive(Debug, Clone)]
pub(crate) struct CpuTime {
    /// Of the whole process, ended threads included, in ticks of 10 ms.
    total: Duration,
    /// Of each living thread, in nanoseconds.
    threads: BTreeMap<u32, Duration>,
}

impl CpuTime {
    /// Reads both clocks of a process.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("read the server's stat")?;
        let ticks = stat_ticks(&stat).context("the server's stat is not as expected")?;
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let entry = entry?;
            let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A thread may end between the listing and here; the process total still counts it.
            let Ok(schedstat) = fs::read_to_string(entry.path().join("schedstat")) else {
                continue;
            };
            if let Some(run_ns) = schedstat.split_whitespace().next().and_then(|field| field.parse().ok()) {
                threads.insert(thread, Duration::from_nanos(run_ns));
            }
        }
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        Ok(Self { total: Duration::from_nanos(ticks * 1_000_000_000 / per_second), threads })
    }

    /// CPU time used since `earlier`.
    ///
    /// The nanosecond clocks lose a thread that ended meanwhile; then the coarse one is used.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        if earlier.threads.keys().any(|thread| !self.threads.contains_key(thread)) {
            return self.total.saturating_sub(earlier.total);
        }
        self.threads
            .iter()
            .map(|(thread, &time)| time.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default()))
            .sum()
    }
}

/// utime + stime; the fields are counted from the last `)`, since a program's name may hold anything.
fn stat_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Proportional set size in bytes: what this process really costs in memory.
pub(crate) fn pss_bytes(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("read the server's smaps_rollup")?;
    rollup_pss(&rollup).context("smaps_rollup holds no Pss line")
}

fn rollup_pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// How many files the process has open.
pub(crate) fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).context("list the server's files")?.count())
}

/// Waits until the process is quiet and returns since when it is, counted from the call; none if it is still busy
/// after `limit`.
pub(crate) fn wait_quiet(pid: u32, limit: Duration) -> Result<Option<Duration>> {
    let started = Instant::now();
    let mut window = vec![(Duration::ZERO, CpuTime::of(pid)?)];
    while started.elapsed() < limit {
        std::thread::sleep(QUIET_SAMPLE);
        let (now, cpu) = (started.elapsed(), CpuTime::of(pid)?);
        while window.len() > 1 && now.saturating_sub(window[1].0) >= QUIET_FOR {
            window.remove(0);
        }
        let (since, oldest) = &window[0];
        if now.saturating_sub(*since) >= QUIET_FOR && cpu.since(oldest) <= QUIET_CPU {
            return Ok(Some(*since));
        }
        window.push((now, cpu));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_does_not_shift_the_fields() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0";
        assert_eq!(stat_ticks(stat), Some(100));
        assert_eq!(stat_ticks("12 (a"), None);
    }

    #[test]
    fn pss_is_told_from_its_parts() {
        let rollup = "Rss:  10 kB\nPss:   7 kB\nPss_Anon:  3 kB\n";
        assert_eq!(rollup_pss(rollup), Some(7 * 1024));
    }

    #[test]
    fn own_process_is_readable() {
        let pid = std::process::id();
        let before = CpuTime::of(pid).unwrap();
        assert!(pss_bytes(pid).unwrap() > 0);
        assert!(open_files(pid).unwrap() > 0);
        assert!(CpuTime::of(pid).unwrap().since(&before) < Duration::from_secs(60));
    }

    #[test]
    fn an_ended_thread_falls_back_to_the_coarse_clock() {
        let earlier = CpuTime {
            total: Duration::from_secs(1),
            threads: BTreeMap::from([(1, Duration::from_secs(1)), (2, Duration::ZERO)]),
        };
        let later = CpuTime { total: Duration::from_secs(3), threads: BTreeMap::from([(1, Duration::from_secs(2))]) };
        assert_eq!(later.since(&earlier), Duration::from_secs(2));
    }
}

//! The machine it runs on: what it is, and how many files a process may open.

use std::fs;

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process, and the servers that it starts, open as many files as the system allows.
///
/// Fails if that is less than `needed`: fewer connections than the definition says would be another figure.
pub(crate) fn raise_open_files(needed: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < needed {
        bail!("a process may open {most} files here and {needed} are needed; raise the limit, or use --quick");
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("raise the limit of open files")
}

/// Processor, cores, memory, kernel, as far as the system tells.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {processor}, {memory} of memory, Linux {}", kernel.trim())
}

/// Load averages: what else runs here blurs the figures.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    averages.join(" ")
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_with_or_without_tabs() {
        let text = "processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\nMemTotal:   10 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Fast CPU @ 3 GHz"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("10 kB"));
        assert_eq!(field(text, "absent"), None);
    }

    #[test]
    fn too_low_a_limit_is_named() {
        assert!(raise_open_files(1).is_ok());
        let error = raise_open_files(u64::MAX).map_or_else(|error| error.to_string(), |()| String::new());
        let unlimited = getrlimit(Resource::Nofile).maximum.is_none();
        assert!(unlimited || error.contains("are needed"), "{error}");
    }
}

//! A child process: started with a log file, waited for, stopped by its own process id.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long it may take to end after SIGTERM, before it is killed: more than Talaria's drain of 20 s.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
/// How much of the log goes into a reason.
const LAST_LINES: usize = 5;

/// A running child; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `folder`/server.log.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join("server.log");
        let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self { child, log })
    }

    /// Its id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `address` accepts a connection.
    pub(crate) fn wait_for(&mut self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it listened: {}", self.last_words());
            }
            if started.elapsed() > START_LIMIT {
                bail!("the server does not listen after {START_LIMIT:?}: {}", self.last_words());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// The end of its log, in one line.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ");
        if tail.is_empty() { "(nothing in its log)".to_owned() } else { tail }
    }

    /// Asks it to end, and kills it if it does not.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).context("SIGTERM")?;
        }
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > STOP_LIMIT {
                self.child.kill().context("SIGKILL")?;
                self.child.wait()?;
                bail!("the server did not end within {STOP_LIMIT:?} of SIGTERM");
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("bench: process {}: {error:#}", self.pid());
        }
    }
}

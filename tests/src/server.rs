//! The program, serving a [`Home`].

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::Signal;

use crate::home::{Home, Person};
use crate::log::Log;
use crate::program::Program;

/// A running server; dropped, it is killed. Its log goes to standard error when a test fails.
#[derive(Debug)]
pub struct Server {
    home: Arc<Home>,
    program: Program,
    log: Log,
    mqtt: SocketAddr,
    http: SocketAddr,
}

/// How a server ended that was not meant to serve.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub status: ExitStatus,
    /// What it said.
    pub log: Log,
}

impl Server {
    /// On a new, empty folder.
    pub fn fresh() -> Self {
        Self::start(Home::new())
    }

    /// On that folder, ready for clients and requests.
    ///
    /// # Panics
    /// It ended instead.
    pub fn start(home: impl Into<Arc<Home>>) -> Self {
        Self::try_start(home).unwrap_or_else(|ended| panic!("the server ended with {}:\n{}", ended.status, ended.log))
    }

    /// The same, where ending instead is an answer.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn try_start(home: impl Into<Arc<Home>>) -> Result<Self, Ended> {
        let home = home.into();
        let mut program = Program::start(home.command(["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()));
        let log = Log::of(program.stderr());
        let (mqtt, http) = (address(&log, "mqtt: ready"), address(&log, "http: ready"));
        match (mqtt, http) {
            (Some(mqtt), Some(http)) => Ok(Self { home, program, log, mqtt, http }),
            _ => Err(Ended { status: program.wait(), log }),
        }
    }

    /// Its folder; still there when it has ended.
    pub fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Where MQTT clients connect.
    pub fn mqtt(&self) -> SocketAddr {
        self.mqtt
    }

    /// Where requests go.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// What it has logged.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Makes an account.
    pub fn person(&self, handle: &str) -> Person {
        self.home.person(handle)
    }

    /// Makes accounts.
    pub fn people<const N: usize>(&self, handles: [&str; N]) -> [Person; N] {
        self.home.people(handles).try_into().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// SIGTERM: drains, and its home is there for the next one.
    ///
    /// # Panics
    /// It did not end with success.
    pub fn stop(mut self) -> Arc<Home> {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert!(status.success(), "ended with {status}:\n{}", self.log);
        Arc::clone(&self.home)
    }

    /// SIGKILL, in the middle of whatever it does.
    pub fn kill(mut self) -> Arc<Home> {
        self.signal(Signal::KILL);
        self.wait();
        Arc::clone(&self.home)
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        // Its end of the pipe closes with it: what has a deadline is the log.
        self.log.wait_for_end();
        self.program.wait()
    }

    /// Drains it and starts another one on the same folder. Its addresses are new.
    #[must_use]
    pub fn restart(self) -> Self {
        Self::start(self.stop())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of the server {}:\n{}", self.pid(), self.log);
        }
    }
}

fn address(log: &Log, says: &str) -> Option<SocketAddr> {
    let found = log.find_from(0, |line| {
        let rest = line.contains(says).then(|| line.rsplit_once("address="))??.1;
        Some(rest.trim().parse().expect("an address in the log"))
    });
    found.map(|(_, address)| address)
}

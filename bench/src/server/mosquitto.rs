//! mosquitto, the peer: no login, nothing stored, a topic per user.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::process::Process;
use super::{Group, Running, Server, free_address};
use crate::client::crowd::Member;

/// Everything that differs from its defaults, but for the listener. The queue limit would drop messages at saturation.
const SETTINGS: &[&str] = &["allow_anonymous true", "persistence false", "log_dest none", "max_queued_messages 0"];
/// Ids as long as Talaria's, so that topics cost both servers the same.
const FIRST_ID: u64 = 100_000_000_000_000_000;

/// The program to start.
#[derive(Debug)]
pub(crate) struct Mosquitto {
    program: PathBuf,
}

impl Mosquitto {
    /// Debian puts it where the search path of a plain user does not look. Without it there are no ratios, so its
    /// absence is an error.
    pub(crate) fn new(program: Option<PathBuf>) -> Result<Self> {
        let program = program.unwrap_or_else(|| PathBuf::from("/usr/sbin/mosquitto"));
        if !program.exists() {
            bail!(
                "there is no {}: install the Debian package mosquitto, or name it with --mosquitto",
                program.display()
            );
        }
        Ok(Self { program })
    }
}

impl Server for Mosquitto {
    fn name(&self) -> &'static str {
        "mosquitto"
    }

    fn describe(&self) -> String {
        let help = Command::new(&self.program).arg("-h").output();
        let version = help
            .ok()
            .and_then(|output| String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned))
            .unwrap_or_else(|| "unknown version".to_owned());
        format!("{version}; {}; the rest at its defaults", SETTINGS.join(", "))
    }

    fn has_accounts(&self) -> bool {
        false
    }

    fn prepare(&mut self, _accounts: usize) -> Result<()> {
        Ok(())
    }

    fn start(&self, folder: &Path, _accounts: usize) -> Result<Box<dyn Running>> {
        let address = free_address()?;
        let config = folder.join("mosquitto.conf");
        let listener = format!("listener {} {}", address.port(), address.ip());
        fs::write(&config, format!("{listener}\n{}\n", SETTINGS.join("\n")))
            .context("write mosquitto's configuration")?;
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&config);
        let mut process = Process::start(command, folder)?;
        process.wait_for(address)?;
        Ok(Box::new(Started { process, address }))
    }
}

struct Started {
    process: Process,
    address: SocketAddr,
}

/// Two levels: mosquitto keeps a node for each level of each filter (770 B the third one), and what it is compared with
/// should not look better by the spelling of its peer's topics.
fn user_topic(account: usize) -> String {
    format!("user/{}", FIRST_ID + account as u64)
}

fn member(client_id: String, filter: Option<String>) -> Member {
    Member { client_id, login: None, filter }
}

impl Running for Started {
    fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn last_words(&self) -> String {
        self.process.last_words()
    }

    fn receiver(&self, account: usize) -> Member {
        member(format!("receiver-{account}"), Some(user_topic(account)))
    }

    fn receiver_by_access_token(&self, _account: usize, _session: usize) -> Result<Option<Member>> {
        Ok(None)
    }

    fn publisher(&self, account: usize) -> Member {
        member(format!("publisher-{account}"), None)
    }

    fn direct_topic(&self, account: usize) -> String {
        user_topic(account)
    }

    fn make_group(&self, accounts: &[usize]) -> Result<Group> {
        let first = accounts.first().context("a group of nobody")?;
        let topic = format!("channel/{}", FIRST_ID + *first as u64);
        let receivers =
            accounts.iter().map(|account| member(format!("receiver-{account}"), Some(topic.clone()))).collect();
        Ok(Group { topic, receivers })
    }
}

//! The servers under test, behind one face.
//!
//! A scenario sees a [`Running`] server: an address, a process id, and who may connect and publish where. What it may
//! not know is which server that is; `mosquitto` and `talaria` each have their file.

pub(crate) mod http;
pub(crate) mod mosquitto;
pub(crate) mod process;
pub(crate) mod talaria;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result};

use crate::client::crowd::Member;

/// Accounts that can also log in with a password, and so get an access token. Few, because each login hashes.
pub(crate) const ACCESS_TOKEN_ACCOUNTS: usize = 50;

/// A kind of server that can be started afresh, again and again.
pub(crate) trait Server {
    /// The column of the table.
    fn name(&self) -> &'static str;

    /// Version and settings, for the report.
    fn describe(&self) -> String;

    /// Whether it keeps accounts at all.
    fn has_accounts(&self) -> bool;

    /// Does once what every later start with so many accounts needs, so that no scenario's time is spent on it.
    fn prepare(&mut self, accounts: usize) -> Result<()>;

    /// Starts a fresh server on free ports, with data of its own below `folder`, that knows `accounts` accounts.
    fn start(&self, folder: &Path, accounts: usize) -> Result<Box<dyn Running>>;
}

/// A started server. Dropping it stops the process.
pub(crate) trait Running {
    /// The process to measure.
    fn pid(&self) -> u32;

    /// Where MQTT is spoken.
    fn address(&self) -> SocketAddr;

    /// The last lines the server wrote, for the reason of a failure.
    fn last_words(&self) -> String;

    /// Account `account` with its one subscription, to what is sent to it.
    fn receiver(&self, account: usize) -> Member;

    /// The same, with a short-lived access token instead of a device's; `session` tells several of one account apart.
    /// For the first [`ACCESS_TOKEN_ACCOUNTS`] only; none where there is no such thing.
    fn receiver_by_access_token(&self, account: usize, session: usize) -> Result<Option<Member>>;

    /// Another session of `account` that only publishes.
    fn publisher(&self, account: usize) -> Member;

    /// The topic that reaches `account` alone.
    fn direct_topic(&self, account: usize) -> String;

    /// Makes a group of these accounts, the first of which will publish.
    fn make_group(&self, accounts: &[usize]) -> Result<Group>;
}

/// A group of 100.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where to publish.
    pub topic: String,
    /// Its members, each with the one subscription that receives what is published.
    pub receivers: Vec<Member>,
}

/// An address on loopback that nobody listens on at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
    Ok(probe.local_addr()?)
}

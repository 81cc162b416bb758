//! Brings connections up: CONNECT, CONNACK, SUBSCRIBE, SUBACK, each waiting for the one before, as clients do.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::fleet::{Driver, Fleet};
use super::wire::{self, Packet};

/// Logins under way at a time: enough to keep the server busy, below the backlog of 100 that mosquitto listens with.
const PARALLEL: usize = 64;
/// Long enough that no connection of a run has to ping, and a value that real clients use.
const KEEP_ALIVE_S: u16 = 600;

/// Who connects, and what to.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The MQTT client id.
    pub client_id: String,
    /// User name and password, where the server asks for them.
    pub login: Option<(String, String)>,
    /// The one subscription, none for a mere publisher.
    pub filter: Option<String>,
}

struct Arrival<'a> {
    /// The number of the fleet's connection that is the first of `members`.
    first: usize,
    members: &'a [Member],
    ready: usize,
}

/// Connects all of `members`, in order, and returns when the last one is subscribed.
pub(crate) fn arrive(fleet: &mut Fleet, members: &[Member], deadline: Duration) -> Result<()> {
    let started = Instant::now();
    let mut arrival = Arrival { first: fleet.len(), members, ready: 0 };
    let mut opened = 0;
    while arrival.ready < members.len() {
        while opened < members.len() && opened - arrival.ready < PARALLEL {
            fleet.open(&hello(&members[opened]))?;
            opened += 1;
        }
        fleet.turn(&mut arrival, Duration::from_millis(100))?;
        if started.elapsed() > deadline {
            bail!("only {} of {} were connected after {deadline:?}", arrival.ready, members.len());
        }
    }
    Ok(())
}

fn hello(member: &Member) -> Vec<u8> {
    let login = member.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
    wire::connect(&member.client_id, login, KEEP_ALIVE_S)
}

impl Driver for Arrival<'_> {
    fn on_packet(&mut self, who: usize, packet: Packet<'_>, _now: Instant, out: &mut Vec<u8>) -> Result<()> {
        // Connections of an earlier arrival may be spoken to meanwhile.
        let Some(member) = who.checked_sub(self.first).and_then(|at| self.members.get(at)) else {
            return Ok(());
        };
        match packet {
            Packet::ConnAck(0) => match &member.filter {
                Some(filter) => out.extend_from_slice(&wire::subscribe(1, filter)),
                None => self.ready += 1,
            },
            Packet::ConnAck(code) => bail!("CONNECT refused with code {code}"),
            Packet::SubAck(granted) if granted <= 2 => self.ready += 1,
            Packet::SubAck(code) => bail!("SUBSCRIBE refused with code {code:#x}"),
            Packet::Publish { packet_id: Some(id), .. } => wire::put_puback(out, id),
            _ => {}
        }
        Ok(())
    }
}

//! CPU of connect and subscribe: with tokens the server has not seen, with the same ones again, and with access tokens.

use std::time::Duration;

use anyhow::Result;

use super::crowd::settle;
use super::{ARRIVAL_LIMIT, Values};
use crate::client::crowd::{Member, arrive};
use crate::client::fleet::Fleet;
use crate::figure::Figure;
use crate::proc::CpuTime;
use crate::server::{ACCESS_TOKEN_ACCOUNTS, Running};

/// Sessions of each account with an access token; Talaria allows 64 a user.
const SESSIONS: usize = 40;

/// Connects `members` and returns the server's CPU time until it is quiet again: work put off counts as well.
pub(crate) fn arrive_measured(fleet: &mut Fleet, server: &dyn Running, members: &[Member]) -> Result<Duration> {
    let before = CpuTime::of(server.pid())?;
    arrive(fleet, members, ARRIVAL_LIMIT)?;
    settle(server)?;
    Ok(CpuTime::of(server.pid())?.since(&before))
}

/// CPU of a whole crowd's connections, the first time and again.
pub(crate) fn first_and_again(first: Duration, again: Duration, connections: usize) -> Values {
    vec![(Figure::ConnectFirst, each_us(first, connections)), (Figure::ConnectRepeated, each_us(again, connections))]
}

/// The same for sessions that log in with access tokens, where there are any.
pub(crate) fn with_access_tokens(server: &dyn Running) -> Result<Values> {
    let mut members = Vec::with_capacity(ACCESS_TOKEN_ACCOUNTS * SESSIONS);
    for session in 0..SESSIONS {
        for account in 0..ACCESS_TOKEN_ACCOUNTS {
            match server.receiver_by_access_token(account, session)? {
                Some(member) => members.push(member),
                None => return Ok(Values::new()),
            }
        }
    }
    let mut fleet = Fleet::new(server.address())?;
    let cpu = arrive_measured(&mut fleet, server, &members)?;
    Ok(vec![(Figure::ConnectAccessToken, each_us(cpu, members.len()))])
}

fn each_us(cpu: Duration, connections: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / connections.max(1) as f64
}

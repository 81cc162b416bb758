//! The life of a crowd: some come, all come, all leave at once, all come again. What is measured along the way is in
//! `memory`, `connect` and `leave`.

use anyhow::{Context, Result};

use super::{ARRIVAL_LIMIT, QUIET_LIMIT, Scale, Scenario, Values, connect, leave, memory};
use crate::client::crowd::{Member, arrive};
use crate::client::fleet::Fleet;
use crate::figure::Figure;
use crate::proc;
use crate::server::Running;

/// Accounts beyond the crowd's that come and go before anything is measured, so that what a server sets up once (code
/// paged in, threads and tables made) counts for nobody.
pub(crate) const WARM_UP: usize = 500;

/// A server at rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    /// Its memory.
    pub pss_bytes: u64,
    /// Its open files.
    pub files: usize,
}

impl Rest {
    fn megabytes(self) -> String {
        format!("{:.1}", self.pss_bytes as f64 / 1e6)
    }
}

/// One life; yields the figures of `wanted` only.
pub(crate) fn run(server: &dyn Running, scale: &Scale, wanted: &[Scenario]) -> Result<Values> {
    warm_up(server, scale)?;
    let members: Vec<Member> = (0..scale.crowd_all).map(|account| server.receiver(account)).collect();
    let (few, further) = members.split_at(scale.crowd_few);
    let mut fleet = Fleet::new(server.address())?;

    let empty = rest(server)?;
    let first_cpu = connect::arrive_measured(&mut fleet, server, few)?;
    let with_few = rest(server)?;
    let further_cpu = connect::arrive_measured(&mut fleet, server, further)?;
    let with_all = rest(server)?;
    eprint!(" ({}, {}, {} MB with none, few, all)", empty.megabytes(), with_few.megabytes(), with_all.megabytes());

    let mut values = vec![memory::per_connection(with_few, with_all, further.len())];
    if wanted != [Scenario::Memory] {
        values.extend(leave::at_once(&mut fleet, server, scale, empty, with_all)?);
        let after_first = rest(server)?;
        let mut fleet = Fleet::new(server.address())?;
        let again_cpu = connect::arrive_measured(&mut fleet, server, &members)?;
        values.extend(connect::first_and_again(first_cpu + further_cpu, again_cpu, members.len()));
        values.push(leave::once_more(&mut fleet, server, scale, after_first)?);
    }
    if wanted.contains(&Scenario::Connect) {
        values.extend(connect::with_access_tokens(server)?);
    }
    let figures: Vec<Figure> = wanted.iter().flat_map(|scenario| scenario.figures()).copied().collect();
    values.retain(|(figure, _)| figures.contains(figure));
    Ok(values)
}

fn warm_up(server: &dyn Running, scale: &Scale) -> Result<()> {
    let members: Vec<Member> = (scale.crowd_all..scale.accounts()).map(|account| server.receiver(account)).collect();
    let mut fleet = Fleet::new(server.address())?;
    arrive(&mut fleet, &members, ARRIVAL_LIMIT)?;
    fleet.leave();
    settle(server)
}

/// Waits until the server has nothing left to do.
pub(crate) fn settle(server: &dyn Running) -> Result<()> {
    proc::wait_quiet(server.pid(), QUIET_LIMIT)?
        .map(|_| ())
        .with_context(|| format!("the server is still busy after {QUIET_LIMIT:?}"))
}

fn rest(server: &dyn Running) -> Result<Rest> {
    settle(server)?;
    Ok(Rest { pss_bytes: proc::pss_bytes(server.pid())?, files: proc::open_files(server.pid())? })
}

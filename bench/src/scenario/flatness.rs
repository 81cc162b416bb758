//! What a message of the pairs costs among few connections and among many, on one server.
//!
//! Few and many in turn, twice: what only grows with the time that a server runs (its store, its heap) would
//! otherwise count against the many.

use anyhow::Result;

use super::{ARRIVAL_LIMIT, Scale, Values, crowd, pairs};
use crate::client::crowd::{Member, arrive};
use crate::client::fleet::Fleet;
use crate::figure::Figure;
use crate::server::Running;

const ROUNDS: u32 = 2;

/// Both costs and their ratio.
pub(crate) fn run(server: &dyn Running, scale: &Scale) -> Result<Values> {
    let mut fleet = Fleet::new(server.address())?;
    let publishers = pairs::join(&mut fleet, server, 1)?;
    arrive(&mut fleet, &idle(server, pairs::ACCOUNTS, scale.flat_few), ARRIVAL_LIMIT)?;

    let further = idle(server, scale.flat_few, scale.crowd_all);
    let (mut few, mut many) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        few += pairs::cost_us(&mut fleet, server, &publishers, scale)? / f64::from(ROUNDS);
        let mut idle_fleet = Fleet::new(server.address())?;
        arrive(&mut idle_fleet, &further, ARRIVAL_LIMIT)?;
        crowd::settle(server)?;
        many += pairs::cost_us(&mut fleet, server, &publishers, scale)? / f64::from(ROUNDS);
        idle_fleet.leave();
        crowd::settle(server)?;
    }
    Ok(vec![(Figure::FlatFew, few), (Figure::FlatMany, many), (Figure::FlatRatio, many / few)])
}

/// Receivers who get nothing, up to `connections` in all.
fn idle(server: &dyn Running, from: usize, connections: usize) -> Vec<Member> {
    (from..connections).map(|account| server.receiver(account)).collect()
}

//! 100 publishers, each with a receiver of its own.

use anyhow::Result;

use super::{ARRIVAL_LIMIT, PAYLOAD_BYTES, Scale, Values, cost};
use crate::client::crowd::{Member, arrive};
use crate::client::fleet::Fleet;
use crate::client::load::Publisher;
use crate::client::wire::PublishTemplate;
use crate::figure::Figure;
use crate::server::Running;

/// Pairs of the definition.
const PAIRS: usize = 100;
/// Accounts in the pairs, and connections.
pub(crate) const ACCOUNTS: usize = 2 * PAIRS;
/// Publishes in flight of each publisher.
pub(crate) const WINDOW: u16 = 16;

/// Cost and rate of the pairs at saturation.
pub(crate) fn run(server: &dyn Running, scale: &Scale) -> Result<Values> {
    let mut fleet = Fleet::new(server.address())?;
    let publishers = join(&mut fleet, server, 1)?;
    let cost = cost::measure(&mut fleet, server.pid(), &publishers, WINDOW, scale)?;
    Ok(vec![(Figure::PairsCpu, cost.per_delivery_us()), (Figure::PairsRate, cost.rate())])
}

/// Connects the pairs, every `stride`-th account one half of one, so that they may lie anywhere among all accounts.
pub(crate) fn join(fleet: &mut Fleet, server: &dyn Running, stride: usize) -> Result<Vec<Publisher>> {
    let account = |at: usize| at * stride;
    let first = fleet.len();
    let members: Vec<Member> = (0..PAIRS)
        .map(|pair| server.publisher(account(2 * pair)))
        .chain((0..PAIRS).map(|pair| server.receiver(account(2 * pair + 1))))
        .collect();
    arrive(fleet, &members, ARRIVAL_LIMIT)?;
    Ok((0..PAIRS)
        .map(|pair| Publisher {
            connection: first + pair,
            template: PublishTemplate::new(&server.direct_topic(account(2 * pair + 1)), PAYLOAD_BYTES),
            receivers: 1,
        })
        .collect())
}

/// Loads the pairs and says what a message cost, in microseconds.
pub(crate) fn cost_us(fleet: &mut Fleet, server: &dyn Running, publishers: &[Publisher], scale: &Scale) -> Result<f64> {
    Ok(cost::measure(fleet, server.pid(), publishers, WINDOW, scale)?.per_delivery_us())
}

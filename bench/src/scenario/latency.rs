//! 2,000 messages a second over the pairs: far from saturation, so what is seen is the way of one message.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Scale, Values, pairs};
use crate::client::fleet::Fleet;
use crate::client::paced::publish_at;
use crate::figure::Figure;
use crate::server::Running;
use crate::stats;

const RATE_HZ: u32 = 2_000;
/// First use of topics, conversations and caches is over after this.
const WARM_UP: Duration = Duration::from_secs(1);

/// Latency from the publish to its receiver.
pub(crate) fn run(server: &dyn Running, scale: &Scale) -> Result<Values> {
    let mut fleet = Fleet::new(server.address())?;
    let publishers = pairs::join(&mut fleet, server, 1)?;
    publish_at(&mut fleet, &publishers, RATE_HZ, WARM_UP)?;
    let mut latencies_ns = publish_at(&mut fleet, &publishers, RATE_HZ, scale.paced)?;
    [(Figure::LatencyP50, 50.0), (Figure::LatencyP99, 99.0)]
        .into_iter()
        .map(|(figure, percent)| {
            let ns = stats::percentile(&mut latencies_ns, percent).context("nothing was published")?;
            Ok((figure, ns as f64 / 1e3))
        })
        .collect()
}

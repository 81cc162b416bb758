//! What a saturating load costs the server, after it has warmed up.

use std::time::Duration;

use anyhow::Result;

use super::Scale;
use crate::client::fleet::Fleet;
use crate::client::load::{Done, Publisher, saturate};
use crate::proc::CpuTime;

/// A load that arrived whole, and the server's CPU time for it.
#[derive(Debug)]
pub(crate) struct Cost {
    done: Done,
    cpu: Duration,
}

impl Cost {
    /// Microseconds of CPU for each delivery.
    pub(crate) fn per_delivery_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.done.delivered.max(1) as f64
    }

    /// Deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done.delivered as f64 / self.done.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Publishes for the time of the warm-up and lets it arrive, then measures the time of the load.
pub(crate) fn measure(
    fleet: &mut Fleet,
    pid: u32,
    publishers: &[Publisher],
    window: u16,
    scale: &Scale,
) -> Result<Cost> {
    saturate(fleet, publishers, window, scale.warm_up)?;
    let client = CpuTime::of(std::process::id())?;
    let server = CpuTime::of(pid)?;
    let done = saturate(fleet, publishers, window, scale.load)?;
    let cost = Cost { cpu: CpuTime::of(pid)?.since(&server), done };
    let client = CpuTime::of(std::process::id())?.since(&client);
    // Near a whole core the client is what bounds the rate; the cost per message is the server's own all the same.
    eprint!(" (client on {:.2} cores, server on {:.2})", cores(client, &cost.done), cores(cost.cpu, &cost.done));
    Ok(cost)
}

fn cores(cpu: Duration, done: &Done) -> f64 {
    cpu.as_secs_f64() / done.took.as_secs_f64().max(f64::MIN_POSITIVE)
}

//! Paced load: messages at a fixed rate, whatever the answers do, and the time from each publish to its receiver.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::fleet::{Driver, Fleet};
use super::load::Publisher;
use super::wire::{self, NumberFinder, Packet};

/// How long the last deliveries may take after the last publish.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

struct Paced {
    started: Instant,
    finder: NumberFinder,
    acknowledged: u64,
    latencies_ns: Vec<u64>,
}

/// Publishes `rate_hz` messages a second, from the publishers in turn, for `duration`.
///
/// Returns the latency of every message in nanoseconds, from just before it is written to the wake that reads it. The
/// client never waits for an answer before the next publish, so a slow answer delays nothing but itself.
pub(crate) fn publish_at(
    fleet: &mut Fleet,
    publishers: &[Publisher],
    rate_hz: u32,
    duration: Duration,
) -> Result<Vec<u64>> {
    let period = Duration::from_secs(1) / rate_hz;
    let total = (duration.as_secs_f64() * f64::from(rate_hz)) as usize;
    fleet.tick_every(period)?;
    let mut paced = Paced {
        started: Instant::now(),
        finder: NumberFinder::default(),
        acknowledged: 0,
        latencies_ns: Vec::with_capacity(total),
    };
    let mut packet_ids = vec![1_u16; publishers.len()];
    let mut sent = 0;
    let mut due = 0;
    let mut out = Vec::new();
    while paced.latencies_ns.len() < total || paced.acknowledged < total as u64 {
        due += usize::try_from(fleet.turn(&mut paced, Duration::from_millis(100))?)?;
        while sent < due.min(total) {
            let at = sent % publishers.len();
            out.clear();
            let now_ns = u64::try_from(paced.started.elapsed().as_nanos())?;
            publishers[at].template.put(&mut out, packet_ids[at], now_ns);
            packet_ids[at] = packet_ids[at].checked_add(1).unwrap_or(1);
            fleet.send(publishers[at].connection, &out)?;
            sent += 1;
        }
        if paced.started.elapsed() > duration + DRAIN_LIMIT {
            bail!(
                "not all arrived within {DRAIN_LIMIT:?}: {sent} published, {} acknowledged, {} received",
                paced.acknowledged,
                paced.latencies_ns.len()
            );
        }
    }
    if paced.latencies_ns.len() != total {
        bail!("{total} published, {} received", paced.latencies_ns.len());
    }
    Ok(paced.latencies_ns)
}

impl Driver for Paced {
    fn on_packet(&mut self, _who: usize, packet: Packet<'_>, now: Instant, out: &mut Vec<u8>) -> Result<()> {
        match packet {
            Packet::Publish { packet_id, payload } => {
                if let Some(id) = packet_id {
                    wire::put_puback(out, id);
                }
                if let Some(sent_ns) = self.finder.find(payload) {
                    let now_ns = u64::try_from(now.duration_since(self.started).as_nanos())?;
                    self.latencies_ns.push(now_ns.saturating_sub(sent_ns));
                }
            }
            Packet::PubAck(_) => self.acknowledged += 1,
            _ => {}
        }
        Ok(())
    }
}

//! Saturating load: every publisher keeps a window of unacknowledged publishes full; receivers acknowledge.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::fleet::{Driver, Fleet};
use super::wire::{self, NumberFinder, Packet, PublishTemplate};

/// How long the last deliveries may take after the last publish.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// One publisher of a load.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    /// Its connection.
    pub connection: usize,
    /// What it publishes.
    pub template: PublishTemplate,
    /// How many connections receive each of its messages.
    pub receivers: u64,
}

/// What a load did; it is only returned when every expected delivery arrived, each once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// Deliveries.
    pub delivered: u64,
    /// From the first publish to the last delivery.
    pub took: Duration,
}

struct Load<'a> {
    publishers: &'a [Publisher],
    /// Connection → publisher; connections without one only receive.
    publisher_of: Vec<Option<usize>>,
    next_packet_id: Vec<u16>,
    stop_at: Instant,
    finder: NumberFinder,
    count: Count,
    last_delivery: Instant,
}

/// Both sides of the ledger. The sums make a lost message visible that a duplicate of another would hide in the counts.
#[derive(Debug, Default)]
struct Count {
    published: u64,
    acknowledged: u64,
    expected: u64,
    expected_sum: u64,
    delivered: u64,
    delivered_sum: u64,
}

/// Publishes for `duration`, waits for everything to arrive, and checks that it did.
pub(crate) fn saturate(fleet: &mut Fleet, publishers: &[Publisher], window: u16, duration: Duration) -> Result<Done> {
    let started = Instant::now();
    let mut load = Load::new(publishers, fleet.len(), started + duration);
    let mut out = Vec::new();
    for (at, publisher) in publishers.iter().enumerate() {
        out.clear();
        for _ in 0..window {
            load.publish(at, &mut out);
        }
        fleet.send(publisher.connection, &out)?;
    }
    while !(load.count.settled() && Instant::now() >= load.stop_at) {
        fleet.turn(&mut load, Duration::from_millis(100))?;
        if started.elapsed() > duration + DRAIN_LIMIT {
            bail!("not all arrived within {DRAIN_LIMIT:?}: {}", load.count.ledger());
        }
    }
    load.count.check()?;
    Ok(Done { delivered: load.count.delivered, took: load.last_delivery.duration_since(started) })
}

impl<'a> Load<'a> {
    fn new(publishers: &'a [Publisher], connections: usize, stop_at: Instant) -> Self {
        let mut publisher_of = vec![None; connections];
        for (at, publisher) in publishers.iter().enumerate() {
            publisher_of[publisher.connection] = Some(at);
        }
        Self {
            publishers,
            publisher_of,
            next_packet_id: vec![1; publishers.len()],
            stop_at,
            finder: NumberFinder::default(),
            count: Count::default(),
            last_delivery: Instant::now(),
        }
    }

    fn publish(&mut self, at: usize, out: &mut Vec<u8>) {
        let publisher = &self.publishers[at];
        let packet_id = self.next_packet_id[at];
        self.next_packet_id[at] = packet_id.checked_add(1).unwrap_or(1);
        let number = self.count.published;
        self.count.publish(number, publisher.receivers);
        publisher.template.put(out, packet_id, number);
    }
}

impl Driver for Load<'_> {
    fn on_packet(&mut self, who: usize, packet: Packet<'_>, now: Instant, out: &mut Vec<u8>) -> Result<()> {
        match packet {
            Packet::Publish { packet_id, payload } => {
                if let Some(id) = packet_id {
                    wire::put_puback(out, id);
                }
                // What a server says of its own accord (a channel was made) is no delivery of this load.
                if let Some(number) = self.finder.find(payload) {
                    self.count.deliver(number);
                    self.last_delivery = now;
                }
            }
            Packet::PubAck(_) => {
                self.count.acknowledged += 1;
                match self.publisher_of.get(who) {
                    Some(Some(at)) if now < self.stop_at => self.publish(*at, out),
                    Some(Some(_)) => {}
                    _ => bail!("a PUBACK for a connection that published nothing"),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Count {
    fn publish(&mut self, number: u64, receivers: u64) {
        self.published += 1;
        self.expected += receivers;
        self.expected_sum = self.expected_sum.wrapping_add(number.wrapping_mul(receivers));
    }

    fn deliver(&mut self, number: u64) {
        self.delivered += 1;
        self.delivered_sum = self.delivered_sum.wrapping_add(number);
    }

    fn settled(&self) -> bool {
        self.acknowledged >= self.published && self.delivered >= self.expected
    }

    fn check(&self) -> Result<()> {
        if self.acknowledged != self.published || self.delivered != self.expected {
            bail!("counts differ: {}", self.ledger());
        }
        if self.delivered_sum != self.expected_sum {
            bail!("counts agree, but other messages arrived than were sent: {}", self.ledger());
        }
        Ok(())
    }

    fn ledger(&self) -> String {
        format!(
            "{} published, {} acknowledged, {} deliveries expected, {} received",
            self.published, self.acknowledged, self.expected, self.delivered
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_messages_to_three() -> Count {
        let mut count = Count::default();
        for number in [7, 8] {
            count.publish(number, 3);
            count.acknowledged += 1;
        }
        count
    }

    #[test]
    fn a_full_ledger_is_valid() {
        let mut count = two_messages_to_three();
        for number in [7, 7, 7, 8, 8, 8] {
            assert!(!count.settled());
            count.deliver(number);
        }
        assert!(count.settled());
        count.check().unwrap();
    }

    #[test]
    fn a_duplicate_in_place_of_a_lost_message_is_invalid() {
        let mut count = two_messages_to_three();
        for number in [7, 7, 7, 7, 8, 8] {
            count.deliver(number);
        }
        assert!(count.settled());
        assert!(count.check().is_err());
    }

    #[test]
    fn one_delivery_too_many_is_invalid() {
        let mut count = two_messages_to_three();
        for number in [7, 7, 7, 8, 8, 8, 8] {
            count.deliver(number);
        }
        assert!(count.check().is_err());
    }
}

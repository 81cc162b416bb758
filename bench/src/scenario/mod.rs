//! The scenarios: each starts from a fresh server and yields one run's value of its figures.
//!
//! They know a [`Running`] server and a [`Scale`], never which server it is. A scenario that does not see every
//! message it sent arrive fails, and its figures are invalid.

pub(crate) mod channel;
pub(crate) mod connect;
pub(crate) mod cost;
pub(crate) mod crowd;
pub(crate) mod flatness;
pub(crate) mod latency;
pub(crate) mod leave;
pub(crate) mod memory;
pub(crate) mod pairs;
pub(crate) mod registered;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::figure::Figure;
use crate::server::Running;

/// One run's values.
pub(crate) type Values = Vec<(Figure, f64)>;

/// Bytes of every published payload.
pub(crate) const PAYLOAD_BYTES: usize = 128;
/// Longest that a part of a crowd may take to connect.
pub(crate) const ARRIVAL_LIMIT: Duration = Duration::from_secs(120);
/// Longest that a server may take to be quiet, where quiet is the condition of a measurement.
pub(crate) const QUIET_LIMIT: Duration = Duration::from_secs(60);
/// Files of a server beside its connections: its store, its database, its listeners; and the client's own.
const FILES_BESIDE_CONNECTIONS: u64 = 400;

/// How big and how long; the shape of a scenario is fixed by its definition.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// Connections of the lower point of the memory slope.
    pub crowd_few: usize,
    /// All connections of a crowd.
    pub crowd_all: usize,
    /// Connections with the pairs among them, for the lower point of flatness.
    pub flat_few: usize,
    /// How long a saturating load publishes.
    pub load: Duration,
    /// How long it runs before it counts.
    pub warm_up: Duration,
    /// How long the paced load publishes.
    pub paced: Duration,
    /// How long after a mass leave memory is read.
    pub memory_wait: Duration,
    /// Registered accounts, few and many.
    pub registered: (usize, usize),
    /// Runs of each scenario; their median counts.
    pub runs: usize,
}

impl Scale {
    /// Accounts that the server of every scenario but one knows.
    pub(crate) fn accounts(&self) -> usize {
        self.crowd_all + crowd::WARM_UP
    }

    /// Files that a server, or the client, opens at most.
    pub(crate) fn open_files(&self) -> u64 {
        self.crowd_all as u64 + FILES_BESIDE_CONNECTIONS
    }

    /// For the report.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{} runs; crowds of {} and {}; saturated for {:?} after {:?}, paced for {:?}; payloads of {PAYLOAD_BYTES} B",
            self.runs, self.crowd_few, self.crowd_all, self.load, self.warm_up, self.paced
        )
    }
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// Memory per idle connection.
    Memory,
    /// CPU of connect and subscribe.
    Connect,
    /// Everyone leaves at once.
    Leave,
    /// 100 pairs at saturation.
    Pairs,
    /// 10 channels of 100.
    Channel,
    /// 2,000 messages a second.
    Latency,
    /// Cost per message among few and many connections.
    Flatness,
    /// Cost per message with few and a million registered accounts; minutes of import, so only when asked for.
    Registered,
}

impl Scenario {
    /// What is measured when nothing is said.
    pub(crate) const DEFAULT: &'static [Self] =
        &[Self::Memory, Self::Connect, Self::Leave, Self::Pairs, Self::Channel, Self::Latency, Self::Flatness];

    /// As the command line spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Connect => "connect",
            Self::Leave => "leave",
            Self::Pairs => "pairs",
            Self::Channel => "channel",
            Self::Latency => "latency",
            Self::Flatness => "flatness",
            Self::Registered => "registered",
        }
    }

    /// What it yields; all of them become invalid with it.
    pub(crate) fn figures(self) -> &'static [Figure] {
        match self {
            Self::Memory => &[Figure::Memory],
            Self::Connect => &[Figure::ConnectFirst, Figure::ConnectRepeated, Figure::ConnectAccessToken],
            Self::Leave => &[Figure::LeaveQuiet, Figure::LeaveMemory, Figure::LeaveGivenBack, Figure::LeaveAgainMemory],
            Self::Pairs => &[Figure::PairsCpu, Figure::PairsRate],
            Self::Channel => &[Figure::ChannelCpu, Figure::ChannelRate, Figure::ChannelOneCpu, Figure::ChannelOneRate],
            Self::Latency => &[Figure::LatencyP50, Figure::LatencyP99],
            Self::Flatness => &[Figure::FlatFew, Figure::FlatMany, Figure::FlatRatio],
            Self::Registered => &[Figure::RegisteredRatio],
        }
    }

    /// Whether it is a part of the one life of a crowd.
    pub(crate) fn needs_crowd(self) -> bool {
        matches!(self, Self::Memory | Self::Connect | Self::Leave)
    }

    /// One run against a fresh server: of the parts of a crowd's life, or of one other scenario.
    pub(crate) fn run(group: &[Self], server: &dyn Running, scale: &Scale) -> Result<Values> {
        match group {
            [Self::Memory | Self::Connect | Self::Leave, ..] => crowd::run(server, scale, group),
            [Self::Pairs] => pairs::run(server, scale),
            [Self::Channel] => channel::run(server, scale),
            [Self::Latency] => latency::run(server, scale),
            [Self::Flatness] => flatness::run(server, scale),
            _ => bail!("{group:?} cannot be measured on one server"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_named_as_the_command_line_spells_it() {
        for scenario in Scenario::value_variants() {
            let spelled = scenario.to_possible_value().unwrap();
            assert_eq!(spelled.get_name(), scenario.name());
        }
    }
}

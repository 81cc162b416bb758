//! The figures: what each means, its unit, and the goal it is held to.
//!
//! Goals are ratios in one run beside mosquitto, or bounds on Talaria's own value where a ratio says nothing.

/// Everything that is measured, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Memory per idle connection with one subscription.
    Memory,
    /// CPU of connect + subscribe, each account for the first time.
    ConnectFirst,
    /// The same once more, after all had left.
    ConnectRepeated,
    /// The same with short-lived access tokens, several sessions an account.
    ConnectAccessToken,
    /// Time until the server is quiet after all connections left at once.
    LeaveQuiet,
    /// Memory after that, as a multiple of the memory before anyone came.
    LeaveMemory,
    /// Share of the connections' memory that went back to the system.
    LeaveGivenBack,
    /// Memory after all had come and left once more, as a multiple of the memory after the first time.
    LeaveAgainMemory,
    /// CPU per message of saturated pairs.
    PairsCpu,
    /// Deliveries a second of saturated pairs.
    PairsRate,
    /// CPU per delivery in groups of 100, 16 publishes in flight.
    ChannelCpu,
    /// Deliveries a second of that.
    ChannelRate,
    /// CPU per delivery in groups of 100, one publish in flight.
    ChannelOneCpu,
    /// Deliveries a second of that.
    ChannelOneRate,
    /// Median latency at a fixed rate.
    LatencyP50,
    /// 99th percentile of the same.
    LatencyP99,
    /// Median of append + fdatasync of 4 KiB on this disk.
    SyncP50,
    /// 99th percentile of the same.
    SyncP99,
    /// CPU per message of pairs among few connections.
    FlatFew,
    /// The same among many.
    FlatMany,
    /// Many over few.
    FlatRatio,
    /// CPU per message with many registered accounts over the same with few.
    RegisteredRatio,
}

/// What Talaria's value must not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// This much of mosquitto's value.
    TimesPeer(f64),
    /// mosquitto's value plus so many of the disk's syncs.
    PeerPlusSyncs(f64, Figure),
    /// A value of its own.
    AtMost(f64),
}

impl Figure {
    /// All, in the order of the table.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Memory,
        Self::ConnectFirst,
        Self::ConnectRepeated,
        Self::ConnectAccessToken,
        Self::LeaveQuiet,
        Self::LeaveMemory,
        Self::LeaveGivenBack,
        Self::LeaveAgainMemory,
        Self::PairsCpu,
        Self::PairsRate,
        Self::ChannelCpu,
        Self::ChannelRate,
        Self::ChannelOneCpu,
        Self::ChannelOneRate,
        Self::LatencyP50,
        Self::LatencyP99,
        Self::SyncP50,
        Self::SyncP99,
        Self::FlatFew,
        Self::FlatMany,
        Self::FlatRatio,
        Self::RegisteredRatio,
    ];

    /// Its name in JSON.
    pub(crate) fn key(self) -> &'static str {
        self.row().0
    }

    /// Its line in the table.
    pub(crate) fn label(self) -> &'static str {
        self.row().1
    }

    /// What the number counts.
    pub(crate) fn unit(self) -> &'static str {
        self.row().2
    }

    /// What it is held to; some are only printed.
    pub(crate) fn goal(self) -> Option<Goal> {
        match self {
            Self::Memory => Some(Goal::TimesPeer(0.5)),
            Self::ConnectFirst | Self::ConnectRepeated => Some(Goal::TimesPeer(1.0)),
            Self::LeaveQuiet => Some(Goal::AtMost(0.5)),
            Self::LeaveMemory => Some(Goal::AtMost(1.2)),
            Self::PairsCpu => Some(Goal::TimesPeer(0.35)),
            Self::ChannelCpu => Some(Goal::TimesPeer(0.2)),
            Self::LatencyP50 => Some(Goal::PeerPlusSyncs(1.5, Self::SyncP50)),
            Self::LatencyP99 => Some(Goal::PeerPlusSyncs(3.0, Self::SyncP99)),
            Self::FlatRatio => Some(Goal::AtMost(1.10)),
            Self::RegisteredRatio => Some(Goal::AtMost(1.15)),
            _ => None,
        }
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Memory => ("memory_per_connection", "memory per idle connection with one subscription", "B"),
            Self::ConnectFirst => ("connect_first", "connect + subscribe, CPU each, first use of a token", "µs"),
            Self::ConnectRepeated => ("connect_repeated", "the same, token used before", "µs"),
            Self::ConnectAccessToken => {
                ("connect_access_token", "the same, access tokens, several sessions each", "µs")
            }
            Self::LeaveQuiet => ("leave_quiet", "all leave at once: quiet after", "s"),
            Self::LeaveMemory => ("leave_memory", "all leave at once: memory after, to before they came", "×"),
            Self::LeaveGivenBack => ("leave_given_back", "all leave at once: memory given back", "%"),
            Self::LeaveAgainMemory => {
                ("leave_again_memory", "the same once more: memory after, to the first time", "×")
            }
            Self::PairsCpu => ("pairs_cpu", "100 pairs, window 16, saturated: CPU per message", "µs"),
            Self::PairsRate => ("pairs_rate", "the same, delivered per second", "/s"),
            Self::ChannelCpu => ("channel_cpu", "10 channels of 100, window 16: CPU per delivery", "µs"),
            Self::ChannelRate => ("channel_rate", "the same, delivered per second", "/s"),
            Self::ChannelOneCpu => ("channel_window_1_cpu", "10 channels of 100, window 1: CPU per delivery", "µs"),
            Self::ChannelOneRate => ("channel_window_1_rate", "the same, delivered per second", "/s"),
            Self::LatencyP50 => ("latency_p50", "2,000 messages/s: latency p50", "µs"),
            Self::LatencyP99 => ("latency_p99", "2,000 messages/s: latency p99", "µs"),
            Self::SyncP50 => ("fdatasync_p50", "4 KiB append + fdatasync p50 (the disk's)", "µs"),
            Self::SyncP99 => ("fdatasync_p99", "4 KiB append + fdatasync p99 (the disk's)", "µs"),
            Self::FlatFew => ("flat_few", "pairs among few connections: CPU per message", "µs"),
            Self::FlatMany => ("flat_many", "pairs among many connections: CPU per message", "µs"),
            Self::FlatRatio => ("flat_ratio", "many to few", "×"),
            Self::RegisteredRatio => ("registered_ratio", "many registered accounts to few: CPU per message", "×"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_a_key_of_its_own() {
        let keys: BTreeSet<_> = Figure::ALL.iter().map(|figure| figure.key()).collect();
        assert_eq!(keys.len(), Figure::ALL.len());
        assert!(Figure::ALL.is_sorted());
    }
}

//! What was measured: the values of every run, and why a run does not count.

use std::collections::BTreeMap;

use crate::figure::{Figure, Goal};
use crate::stats;

/// The column of what belongs to the machine.
pub(crate) const MACHINE: &str = "machine";

/// Name of a server in the results, see `Server::name`.
type Column = &'static str;

/// All values, by figure and server.
#[derive(Debug, Default)]
pub(crate) struct Results {
    values: BTreeMap<(Figure, Column), Vec<f64>>,
    invalid: BTreeMap<(Figure, Column), String>,
}

/// A cell of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Not measured.
    Empty,
    /// A run was not as it must be; the reason.
    Invalid(&'a str),
    /// The median of the runs.
    Median(f64),
}

/// Talaria's value against its goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// What it must not exceed, in the figure's unit.
    pub limit: f64,
    /// Whether it does not.
    pub met: bool,
}

impl Results {
    /// One more run's value.
    pub(crate) fn add(&mut self, figure: Figure, server: Column, value: f64) {
        self.values.entry((figure, server)).or_default().push(value);
    }

    /// A run that does not count. One is enough: what loses messages in one run of three has no cost per message.
    pub(crate) fn add_invalid(&mut self, figure: Figure, server: Column, reason: &str) {
        self.invalid.entry((figure, server)).or_insert_with(|| reason.to_owned());
    }

    /// Every run's value.
    pub(crate) fn runs(&self, figure: Figure, server: Column) -> &[f64] {
        self.values.get(&(figure, server)).map_or(&[], Vec::as_slice)
    }

    /// What stands in the table.
    pub(crate) fn cell(&self, figure: Figure, server: Column) -> Cell<'_> {
        if let Some(reason) = self.invalid.get(&(figure, server)) {
            return Cell::Invalid(reason);
        }
        stats::median(self.runs(figure, server)).map_or(Cell::Empty, Cell::Median)
    }

    /// The value, if there is a valid one.
    pub(crate) fn median(&self, figure: Figure, server: Column) -> Option<f64> {
        match self.cell(figure, server) {
            Cell::Median(value) => Some(value),
            _ => None,
        }
    }

    /// How the figure stands to its goal; none without a goal or with something missing.
    pub(crate) fn verdict(&self, figure: Figure) -> Option<Verdict> {
        let own = self.median(figure, "talaria")?;
        let limit = match figure.goal()? {
            Goal::TimesPeer(share) => share * self.median(figure, "mosquitto")?,
            Goal::PeerPlusSyncs(syncs, probe) => {
                self.median(figure, "mosquitto")? + syncs * self.median(probe, MACHINE)?
            }
            Goal::AtMost(limit) => limit,
        };
        Some(Verdict { limit, met: own <= limit })
    }

    /// Whether any figure is invalid.
    pub(crate) fn any_invalid(&self) -> bool {
        !self.invalid.is_empty()
    }

    /// The reasons, for the foot of the table.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (Figure, &'static str, &str)> {
        self.invalid.iter().map(|(&(figure, server), reason)| (figure, server, reason.as_str()))
    }

    /// Figures that stand in the table at all.
    pub(crate) fn figures(&self) -> impl Iterator<Item = Figure> {
        let known =
            |figure: &Figure| self.values.keys().chain(self.invalid.keys()).any(|(measured, _)| measured == figure);
        Figure::ALL.iter().copied().filter(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_ratios_sums_or_bounds() {
        let mut results = Results::default();
        results.add(Figure::Memory, "mosquitto", 1000.0);
        results.add(Figure::Memory, "talaria", 501.0);
        assert_eq!(results.verdict(Figure::Memory), Some(Verdict { limit: 500.0, met: false }));

        results.add(Figure::LatencyP50, "mosquitto", 80.0);
        results.add(Figure::LatencyP50, "talaria", 440.0);
        assert_eq!(results.verdict(Figure::LatencyP50), None);
        results.add(Figure::SyncP50, MACHINE, 240.0);
        assert_eq!(results.verdict(Figure::LatencyP50), Some(Verdict { limit: 440.0, met: true }));

        results.add(Figure::FlatRatio, "talaria", 1.2);
        assert!(!results.verdict(Figure::FlatRatio).unwrap().met);
    }

    #[test]
    fn one_invalid_run_spoils_the_figure() {
        let mut results = Results::default();
        results.add(Figure::PairsCpu, "talaria", 1.0);
        results.add(Figure::PairsCpu, "mosquitto", 20.0);
        results.add_invalid(Figure::PairsCpu, "talaria", "lost one");
        assert_eq!(results.cell(Figure::PairsCpu, "talaria"), Cell::Invalid("lost one"));
        assert_eq!(results.verdict(Figure::PairsCpu), None);
        assert!(results.any_invalid());
    }
}

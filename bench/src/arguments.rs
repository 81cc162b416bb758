//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::scenario::{Scale, Scenario};

/// Measures Talaria and mosquitto side by side and prints their figures against the goals.
#[derive(Debug, Parser)]
#[command(name = "talaria-bench")]
pub(crate) struct Arguments {
    /// What to measure; all but `registered` if left out.
    scenarios: Vec<Scenario>,
    /// A minute or two instead of twenty: fewer connections, shorter loads, one run each.
    #[arg(long)]
    pub quick: bool,
    /// Leaves the other server out; then there are no ratios.
    #[arg(long)]
    pub only: Option<Only>,
    /// Runs of each scenario, of which the median counts.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// The `talaria` program; built from this tree if left out.
    #[arg(long, value_name = "PROGRAM")]
    pub talaria: Option<PathBuf>,
    /// The `mosquitto` program; Debian's if left out.
    #[arg(long, value_name = "PROGRAM")]
    pub mosquitto: Option<PathBuf>,
    /// A setting of Talaria as in its environment, such as TALARIA_LOOPS=1; may be given again.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Where servers keep their data while they are measured, on a real disk; the target folder if left out.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// One server by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// The peer.
    Mosquitto,
    /// Ours.
    Talaria,
}

impl Arguments {
    /// What to measure, each once, in the order of the table.
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let mut chosen = if self.scenarios.is_empty() { Scenario::DEFAULT.to_vec() } else { self.scenarios.clone() };
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// How big and how long.
    pub(crate) fn scale(&self) -> Scale {
        let mut scale = if self.quick { quick() } else { full() };
        if let Some(runs) = self.runs {
            scale.runs = usize::from(runs);
        }
        scale
    }
}

/// The sizes of the goals' definitions.
fn full() -> Scale {
    Scale {
        crowd_few: 10_000,
        crowd_all: 19_500,
        flat_few: 1_000,
        load: Duration::from_secs(10),
        warm_up: Duration::from_secs(3),
        paced: Duration::from_secs(15),
        memory_wait: Duration::from_secs(3),
        registered: (1_000, 1_000_000),
        runs: 3,
    }
}

fn quick() -> Scale {
    Scale {
        crowd_few: 1_000,
        crowd_all: 4_000,
        flat_few: 500,
        load: Duration::from_secs(2),
        warm_up: Duration::from_millis(500),
        paced: Duration::from_secs(3),
        memory_wait: Duration::from_secs(1),
        registered: (1_000, 50_000),
        runs: 1,
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a setting is KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn nothing_said_means_all_but_the_million_accounts() {
        assert_eq!(parse("bench").scenarios(), Scenario::DEFAULT);
        assert!(!Scenario::DEFAULT.contains(&Scenario::Registered));
    }

    #[test]
    fn scenarios_come_once_and_in_the_order_of_the_table() {
        let arguments = parse("bench pairs memory pairs --set TALARIA_LOOPS=1");
        assert_eq!(arguments.scenarios(), [Scenario::Memory, Scenario::Pairs]);
        assert_eq!(arguments.settings, [("TALARIA_LOOPS".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn runs_can_be_chosen_for_either_size() {
        assert_eq!(parse("bench --quick").scale().runs, 1);
        assert_eq!(parse("bench --quick --runs 5").scale().runs, 5);
        assert_eq!(parse("bench").scale().crowd_all, 19_500);
        assert!(Arguments::try_parse_from(["bench", "--runs", "0"]).is_err());
    }
}

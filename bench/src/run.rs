//! The order of a whole run: scenario after scenario, and within each the servers in turn, so that whatever changes on
//! the machine meanwhile changes for both.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::figure::Figure;
use crate::results::{MACHINE, Results};
use crate::scenario::{Scale, Scenario, Values, registered};
use crate::server::{Running, Server};
use crate::{disk, report, stats};

/// Syncs of one probe of the disk: a p99 of a thousand rests on ten values.
const PROBE_SYNCS: usize = 1_000;

/// Measures everything; an error is only what makes all figures impossible, the rest is in the results.
pub(crate) fn all(
    chosen: &[Scenario],
    scale: &Scale,
    servers: &mut [Box<dyn Server>],
    folder: &Path,
) -> Result<Results> {
    for server in servers.iter_mut() {
        for accounts in accounts_needed(chosen, scale, server.has_accounts()) {
            eprintln!("bench: {}: preparing {accounts} accounts", server.name());
            server.prepare(accounts).with_context(|| format!("prepare {}", server.name()))?;
        }
    }
    let mut results = Results::default();
    for group in groups(chosen) {
        for run in 0..scale.runs {
            // Who goes first changes with each run.
            for turn in 0..servers.len() {
                let server = servers[(run + turn) % servers.len()].as_ref();
                if group.contains(&Scenario::Registered) && !server.has_accounts() {
                    continue;
                }
                if group.contains(&Scenario::Latency) {
                    probe_disk(folder, &mut results)?;
                }
                eprint!("bench: {}, run {} of {}, {}:", names(&group), run + 1, scale.runs, server.name());
                one(&group, server, scale, folder, &mut results);
            }
        }
    }
    Ok(results)
}

fn accounts_needed(chosen: &[Scenario], scale: &Scale, has_accounts: bool) -> Vec<usize> {
    let mut needed = Vec::new();
    if chosen.iter().any(|scenario| *scenario != Scenario::Registered) {
        needed.push(scale.accounts());
    }
    if has_accounts && chosen.contains(&Scenario::Registered) {
        needed.extend([scale.registered.0, scale.registered.1]);
    }
    needed
}

/// What is measured together: the parts of the life of one crowd, and each other scenario alone.
fn groups(chosen: &[Scenario]) -> Vec<Vec<Scenario>> {
    let (crowd, alone): (Vec<_>, Vec<_>) = chosen.iter().copied().partition(|scenario| scenario.needs_crowd());
    let crowd = (!crowd.is_empty()).then_some(crowd);
    crowd.into_iter().chain(alone.into_iter().map(|scenario| vec![scenario])).collect()
}

fn names(group: &[Scenario]) -> String {
    group.iter().map(|scenario| scenario.name()).collect::<Vec<_>>().join(" + ")
}

fn one(group: &[Scenario], server: &dyn Server, scale: &Scale, folder: &Path, results: &mut Results) {
    match on_fresh_server(group, server, scale, folder) {
        Ok(values) => {
            for (figure, value) in values {
                eprint!(" {} {} {};", figure.key(), report::number(value), figure.unit());
                results.add(figure, server.name(), value);
            }
            eprintln!();
        }
        Err(error) => {
            let reason = format!("{error:#}");
            eprintln!(" invalid: {reason}");
            for figure in group.iter().flat_map(|scenario| scenario.figures()) {
                results.add_invalid(*figure, server.name(), &reason);
            }
        }
    }
}

fn on_fresh_server(group: &[Scenario], server: &dyn Server, scale: &Scale, folder: &Path) -> Result<Values> {
    if group.contains(&Scenario::Registered) {
        return registered::run(server, scale, folder);
    }
    let data = tempfile::tempdir_in(folder)?;
    let running = server.start(data.path(), scale.accounts())?;
    Scenario::run(group, running.as_ref(), scale).map_err(|error| with_last_words(&error, running.as_ref()))
}

/// The reason of a failure with what the server says about it.
pub(crate) fn with_last_words(error: &anyhow::Error, server: &dyn Running) -> anyhow::Error {
    anyhow!("{error:#}; the server's last words: {}", server.last_words())
}

fn probe_disk(folder: &Path, results: &mut Results) -> Result<()> {
    let mut times_ns = disk::append_and_sync(folder, PROBE_SYNCS).context("probe the disk")?;
    for (figure, percent) in [(Figure::SyncP50, 50.0), (Figure::SyncP99, 99.0)] {
        if let Some(ns) = stats::percentile(&mut times_ns, percent) {
            results.add(figure, MACHINE, ns as f64 / 1e3);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_crowds_life_are_measured_together() {
        use Scenario::{Connect, Leave, Memory, Pairs};
        assert_eq!(groups(&[Memory, Connect, Leave, Pairs]), [vec![Memory, Connect, Leave], vec![Pairs]]);
        assert_eq!(groups(&[Pairs]), [vec![Pairs]]);
        assert_eq!(groups(&[]), Vec::<Vec<Scenario>>::new());
    }
}

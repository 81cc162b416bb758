//! Rounds from their seeds.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::thread::available_parallelism;

use talaria_core::Rules;

use crate::sabotage::Sabotage;
use crate::world::World;

/// Rounds of the suite.
const ROUNDS: u64 = 3_000;
/// Broken rounds that are told at once.
const TOLD_MAX: usize = 40;

thread_local! {
    /// Loops outlive the panic of a connection's turn; a round does not.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts panics, also those that are caught.
fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            before(panic);
        }));
    });
}

/// One round; what broke.
pub(crate) fn run(seed: u64, rules: Rules, sabotage: Option<Sabotage>) -> Result<(), String> {
    count_panics();
    let panics = PANICS.get();
    let is_traced = std::env::var_os("SIMULATION_TRACE").is_some();
    let mut world = World::new(seed, rules, sabotage, is_traced);
    world.start();
    world.make_channels()?;
    for step in 0..world.plan.steps {
        if sabotage == Some(Sabotage::LosesARound) && step + 60 == world.plan.steps {
            world.remember_disk();
        }
        world.step()?;
    }
    if sabotage == Some(Sabotage::LosesARound) {
        world.crash();
    }
    world.come_to_rest()?;
    if sabotage == Some(Sabotage::LeaksADelivery) {
        world.leak();
    }
    world.check()?;
    world.fall_asleep()?;
    if PANICS.get() > panics {
        return Err("something panicked".into());
    }
    Ok(())
}

/// Runs the rounds of those seeds on every core; those that broke, in order.
pub(crate) fn broken(seeds: Range<u64>, rules: Rules, sabotage: Option<Sabotage>) -> Vec<(u64, String)> {
    let (next, broken) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let cores = available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || broken.lock().unwrap().len() >= TOLD_MAX {
                        return;
                    }
                    if let Err(what) = run(seed, rules, sabotage) {
                        broken.lock().unwrap().push((seed, what));
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort();
    broken
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

#[test]
fn nothing_is_lost_or_doubled_skipped_or_out_of_order() {
    let seeds = match asked("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("SIMULATION_ROUNDS").unwrap_or(ROUNDS),
    };
    let broken = broken(seeds, Rules::default(), None);
    let told: Vec<_> = broken.iter().map(|(seed, what)| format!("SIMULATION_SEED={seed}: {what}")).collect();
    assert!(broken.is_empty(), "{}", told.join("\n"));
}

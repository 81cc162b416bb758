//! Randomness of a run: all of it from one printed seed, so that `FAULTS_SEED=n` replays the schedule.

use std::time::{SystemTime, UNIX_EPOCH};

/// Names the seed to replay.
const VARIABLE: &str = "FAULTS_SEED";

/// The seed of this run, from the environment or new; printed, and shown by cargo with a test that fails.
pub(crate) fn seed(test: &str) -> u64 {
    let seed = match std::env::var(VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{VARIABLE} is no number: {text}")),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64 % 1_000_000_000),
    };
    println!("{test}: replay with {VARIABLE}={seed}");
    seed
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A source of its own for one part of a run, so that what one part draws does not move the others.
    pub(crate) fn of_part(seed: u64, part: u64) -> Self {
        let mut source = Self(seed ^ part.wrapping_mul(0xA076_1D64_78BD_642F));
        source.next();
        source
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is above 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in `of` times.
    pub(crate) fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.below(end as u64 + 1) as usize;
            items.swap(end, other);
        }
    }
}

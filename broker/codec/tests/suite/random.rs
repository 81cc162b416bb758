//! Runs of random values that a printed seed replays.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// What a check of one value says.
pub(crate) type Checked = Result<(), TestCaseError>;

/// Checks `cases` values, or as many as `CODEC_CASES` says, and shows the smallest that fails.
pub(crate) fn check<S: Strategy>(cases: u32, values: &S, check: impl Fn(S::Value) -> Checked)
where
    S::Value: Debug,
{
    let seed = from_environment("CODEC_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let cases = from_environment("CODEC_CASES").unwrap_or(cases);
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(values, check) {
        panic!("CODEC_SEED={seed}: {failure}");
    }
}

fn from_environment<T: std::str::FromStr<Err: Debug>>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

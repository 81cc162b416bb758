//! Rules of [`IdRanges`] (INV-8).

use std::ops::Range;

use talaria_core::EventId;
use talaria_core::id::EPOCH_UNIX_MS;
use talaria_core::limits::COMMAND_RANGE_MS_MAX;
use talaria_port::StoreErrorKind;
use talaria_port::ids::IdRanges;

use super::Fresh;

const NOW: u64 = EPOCH_UNIX_MS + 40_000_000_000;
const HOUR_MS: u64 = 60 * 60 * 1_000;
const YEAR_MS: u64 = 366 * 24 * HOUR_MS;

async fn reserve(store: &impl IdRanges, now: u64, ms: u64) -> Range<u64> {
    let range = store.reserve(now, ms).await.unwrap();
    assert_eq!(range.end - range.start, ms);
    range
}

/// A range begins at the caller's time where nothing later was given out.
pub async fn a_range_begins_at_the_time_of_the_caller<F: Fresh<Store: IdRanges>>(mut fresh: F) {
    assert_eq!(reserve(&**fresh.store(), NOW, 3).await, NOW..NOW + 3);
    fresh.reopen().await;
    assert_eq!(reserve(&**fresh.store(), NOW + 10, 1).await, NOW + 10..NOW + 11);
}

/// The first range of all lies within what an id can say, also for a clock that was never set.
pub async fn a_clock_that_was_never_set_gets_valid_ids<F: Fresh<Store: IdRanges>>(fresh: F) {
    let range = reserve(&**fresh.store(), 0, 1).await;
    assert!(EventId::at_unix_ms(range.start) > EventId::ZERO);
}

/// Whatever the clocks of the callers say, each range lies above all before it, over restarts too, and no clock but the latest is run ahead of.
pub async fn no_clock_makes_ranges_meet_or_run_away<F: Fresh<Store: IdRanges>>(mut fresh: F) {
    let (mut end, mut latest, mut given) = (0, 0, 0);
    for now in [NOW, NOW - HOUR_MS, NOW - HOUR_MS + 1, NOW + YEAR_MS, NOW, 0, NOW + 5, NOW + YEAR_MS + HOUR_MS, NOW] {
        for ms in [1, 7] {
            let range = reserve(&**fresh.store(), now, ms).await;
            (latest, given) = (latest.max(now), given + ms);
            assert!(range.start >= end && range.start >= now, "{range:?} at {now} after {end}");
            assert!(range.end <= latest + given, "{range:?} runs ahead of {latest}");
            end = range.end;
        }
        fresh.reopen().await;
    }
}

/// A range has a bound, and a time has one: beyond, nothing is reserved.
pub async fn what_cannot_be_reserved_reserves_nothing<F: Fresh<Store: IdRanges>>(fresh: F) {
    let store = fresh.store();
    reserve(&**store, NOW, COMMAND_RANGE_MS_MAX).await;
    let last = EventId::MAX.unix_ms();
    for (now, ms) in [(NOW, 0), (NOW, COMMAND_RANGE_MS_MAX + 1), (NOW, u64::MAX), (last, 2), (u64::MAX, 1)] {
        assert_eq!(store.reserve(now, ms).await.unwrap_err().kind, StoreErrorKind::Misuse, "{now} {ms}");
    }
    assert_eq!(reserve(&**store, NOW, 1).await.start, NOW + COMMAND_RANGE_MS_MAX);
}

/// Many that reserve at once, with clocks that differ by a year, never get the same; each one's own ranges grow.
pub async fn ranges_of_many_at_once_never_meet<F: Fresh<Store: IdRanges>>(fresh: F) {
    let mut reserving = Vec::new();
    for (number, now) in [NOW, NOW - HOUR_MS, NOW + 50, NOW + YEAR_MS].into_iter().enumerate() {
        let store = if number % 2 == 0 { fresh.store().clone() } else { fresh.beside().await };
        reserving.push(tokio::spawn(async move {
            let mut ranges = Vec::new();
            for ms in 1..=20 {
                ranges.push(reserve(&*store, now + ms, ms).await);
            }
            ranges
        }));
    }
    let mut all = Vec::new();
    for reserving in reserving {
        let ranges = reserving.await.unwrap();
        assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start), "{ranges:?}");
        all.extend(ranges);
    }
    all.sort_unstable_by_key(|range| range.start);
    assert_eq!(all.len(), 80);
    assert!(all.windows(2).all(|two| two[0].end <= two[1].start), "{all:?}");
}

/// The rules of ids for commands.
#[macro_export]
macro_rules! id_ranges_suite {
    ($make:path) => {
        $crate::relational_rules!($make, ids: a_range_begins_at_the_time_of_the_caller,
            a_clock_that_was_never_set_gets_valid_ids, no_clock_makes_ranges_meet_or_run_away,
            what_cannot_be_reserved_reserves_nothing, ranges_of_many_at_once_never_meet);
    };
}

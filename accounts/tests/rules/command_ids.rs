//! Ids of commands (INV-8).

use std::collections::HashSet;
use std::sync::Arc;

use talaria_accounts::CommandIds;
use talaria_core::EventId;
use talaria_core::id::{COMMAND_WORKER, COUNTER_MAX};
use talaria_core::limits::COMMAND_RANGE_MS_MAX;
use talaria_port::clock::Clock as _;
use talaria_port::ids::Ids as _;
use talaria_port::{Retry, StoreErrorKind};
use talaria_storage_memory::ManualClock;
use talaria_storage_sql::SqliteStore;

use crate::world::{DAY_MS, World};

const HOUR_MS: u64 = 60 * 60 * 1_000;
const PER_MS: usize = COUNTER_MAX as usize + 1;

/// A command that begins: a process of its own on the file, with a clock of its own.
async fn command(world: &World, now_unix_ms: u64) -> CommandIds {
    let store = SqliteStore::open_beside(world.path()).await.unwrap();
    CommandIds::open(Arc::new(store), Arc::new(ManualClock::new(now_unix_ms))).await.unwrap()
}

fn draw(ids: &CommandIds, count: usize) -> Vec<EventId> {
    (0..count).map(|_| EventId(ids.draw().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_of_the_commands_worker_at_the_commands_time() {
    let world = World::new().await;
    let now = world.clock.unix_ms() + 10;
    let ids = draw(&command(&world, now).await, 100);
    assert!(ids.iter().all(|id| (id.worker(), id.unix_ms()) == (COMMAND_WORKER, now)), "{ids:?}");
    assert!(ids.is_sorted_by(|one, next| one < next));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_one_after_the_other_never_repeat_whatever_the_clock_did() {
    let world = World::new().await;
    let now = world.clock.unix_ms();
    let year = 365 * DAY_MS;
    let mut last = EventId::ZERO;
    for clock in [now, now, now - HOUR_MS, now + 1, now + year, now + year - HOUR_MS, now, 0, now + 2] {
        let ids = command(&world, clock).await;
        ids.prepare(PER_MS + 5).await.unwrap();
        for id in draw(&ids, PER_MS + 5) {
            assert!(id > last, "{id:?} after {last:?} at {clock}");
            last = id;
        }
    }
    let reserved_ms = 9 * 3;
    assert!(last.unix_ms() <= now + year + reserved_ms, "they do not run away");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_at_once_never_draw_the_same() {
    let world = World::new().await;
    let now = world.clock.unix_ms();
    let mut drawing = Vec::new();
    for clock in [now, now, now - HOUR_MS, now + 365 * DAY_MS, now + 1, now] {
        let ids = command(&world, clock).await;
        drawing.push(tokio::spawn(async move {
            let mut drawn = Vec::new();
            for round in 0..20 {
                ids.prepare(round * 700).await.unwrap();
                drawn.extend(draw(&ids, round * 700));
                tokio::task::yield_now().await;
            }
            drawn
        }));
    }
    let (mut seen, mut count) = (HashSet::new(), 0);
    for drawing in drawing {
        let drawn = drawing.await.unwrap();
        assert!(drawn.is_sorted_by(|one, next| one < next));
        count += drawn.len();
        seen.extend(drawn);
    }
    assert_eq!(seen.len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_drawn_that_was_not_reserved() {
    let world = World::new().await;
    let ids = command(&world, world.clock.unix_ms()).await;
    draw(&ids, PER_MS);
    let error = ids.draw().unwrap_err();
    assert_eq!((error.kind, error.retry()), (StoreErrorKind::Unavailable, Retry::Later));
    ids.prepare(1).await.unwrap();
    draw(&ids, PER_MS);
    let too_many = PER_MS * COMMAND_RANGE_MS_MAX as usize + 1;
    assert_eq!(ids.prepare(too_many).await.unwrap_err().kind, StoreErrorKind::Misuse);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_prepared_already_is_not_reserved_again() {
    let world = World::new().await;
    let now = world.clock.unix_ms() + 100;
    let ids = command(&world, now).await;
    ids.prepare(PER_MS).await.unwrap();
    ids.prepare(10).await.unwrap();
    assert_eq!(draw(&ids, 1)[0].unix_ms(), now);
    assert_eq!(draw(&command(&world, now).await, 1)[0].unix_ms(), now + 1);
}

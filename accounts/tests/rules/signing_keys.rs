//! The ring of signing keys over time and over processes.

use talaria_accounts::Settings;
use talaria_core::id::EPOCH_UNIX_MS;
use talaria_core::limits::SIGNING_KEY_DAYS;
use talaria_port::clock::Clock as _;
use talaria_port::signing_keys::SigningKeyStore as _;

use crate::world::{DAY_MS, PASSWORD, World};

async fn ring(world: &World) -> Vec<String> {
    world.store.signing_keys().await.unwrap().into_iter().map(|key| key.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ring_is_kept_over_restarts() {
    let world = World::new().await;
    world.user("@kim").await;
    let token = world.access_token("@kim").await;
    let before = ring(&world).await;
    let (restarted, _) = world.another().await;
    assert!(restarted.identify(token.as_bytes()).await.unwrap().is_some());
    assert_eq!((ring(&world).await, before.len()), (before, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_for_its_days_and_verifies_until_its_last_token_has_ended() {
    let hour_s = 3_600;
    let world = World::with(Settings { access_token_s: hour_s, ..Settings::default() }).await;
    world.user("@kim").await;
    world.clock.advance_ms(SIGNING_KEY_DAYS * DAY_MS - 1);
    let of_old = world.access_token("@kim").await;
    assert_eq!(ring(&world).await.len(), 1);
    world.clock.advance_ms(1);
    let of_new = world.access_token("@kim").await;
    let keys = ring(&world).await;
    assert_eq!(keys.len(), 2);
    assert!(world.identify(&of_old).await.is_some() && world.identify(&of_new).await.is_some());
    world.clock.advance_ms(SIGNING_KEY_DAYS * DAY_MS);
    world.access_token("@kim").await;
    let turned = ring(&world).await;
    assert_eq!((turned.len(), turned.contains(&keys[1])), (2, false), "the first is gone, the second still verifies");
    assert!(turned.contains(&keys[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_process_made_verifies_at_once_and_signs_soon() {
    let world = World::new().await;
    world.user("@kim").await;
    let (other, _) = world.another().await;
    world.clock.advance_ms(SIGNING_KEY_DAYS * DAY_MS);
    let of_other = other.log_in("@kim", PASSWORD, "phone").await.unwrap().access_token;
    // The flood of made-up keys before it changes nothing.
    for _ in 0..50 {
        assert_eq!(world.identify("eyJhbGciOiJIUzI1NiIsImtpZCI6Im1hZGUgdXAifQ.e30.AAAA").await, None);
    }
    assert!(world.identify(of_other.reveal()).await.is_some());
    let of_this = world.access_token("@kim").await;
    assert_eq!(ring(&world).await.len(), 2, "one new key for both");
    assert!(other.identify(of_this.as_bytes()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_log_ins_at_the_turn_make_one_key() {
    let world = World::with(Settings { hashes_at_once_max: 8, ..Settings::default() }).await;
    world.user("@kim").await;
    world.clock.advance_ms(SIGNING_KEY_DAYS * DAY_MS);
    let mut log_ins = Vec::new();
    for _ in 0..8 {
        let accounts = world.accounts.clone();
        log_ins.push(tokio::spawn(async move { accounts.log_in("@kim", PASSWORD, "phone").await.map(drop) }));
    }
    for log_in in log_ins {
        log_in.await.unwrap().unwrap();
    }
    assert_eq!(ring(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_takes_no_key_away_under_living_tokens() {
    let world = World::new().await;
    world.user("@kim").await;
    let now = world.clock.unix_ms();
    world.clock.set_unix_ms(now + 365 * DAY_MS);
    world.access_token("@kim").await;
    // The first key is a year old for that clock, and so are its tokens.
    assert_eq!(ring(&world).await.len(), 1);
    for back in [now, now - DAY_MS / 24, EPOCH_UNIX_MS] {
        world.clock.set_unix_ms(back);
        let token = world.access_token("@kim").await;
        assert!(world.identify(&token).await.is_some());
        assert_eq!(ring(&world).await.len(), 1, "a key of tomorrow signs");
    }
}

//! Access tokens and device tokens: what they are good for, and when they end.

use std::sync::Arc;

use talaria_accounts::{Accounts, CommandIds, Settings};
use talaria_core::limits::REVOCATIONS_STALE_MS;
use talaria_port::authenticate::{Authenticate as _, Checked, Revoked};
use talaria_port::clock::Clock as _;
use talaria_port::devices::DeviceStore as _;

use crate::between::Between;
use crate::world::{DAY_MS, PASSWORD, World, shown};

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_says_who_and_ends_with_its_time() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let logged_in = world.accounts.log_in("@kim", PASSWORD, "phone").await.unwrap();
    let token = logged_in.access_token.reveal();
    let identity = world.identify(token).await.unwrap();
    assert_eq!((identity.user, identity.device), (kim.id, logged_in.device.id));
    let ends = identity.expires_unix_ms.unwrap();
    assert_eq!(ends, world.clock.unix_ms() + 3_600_000);
    world.clock.advance_ms(3_599_999);
    assert!(world.identify(token).await.is_some());
    world.clock.advance_ms(1);
    assert_eq!((world.check(token), world.identify(token).await), (Checked::Denied, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_token_says_who_and_does_not_end_by_itself() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let (token, device) = world.accounts.add_device_token(kim.id, "lamp").await.unwrap();
    world.clock.advance_ms(10 * 365 * DAY_MS);
    let identity = world.identify(token.reveal()).await.unwrap();
    assert_eq!((identity.user, identity.device, identity.expires_unix_ms), (kim.id, device.id, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_that_is_shown_must_be_the_tokens() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    world.user("@lee").await;
    let id = kim.id.to_string();
    for token in [world.access_token("@kim").await, world.device_token(&kim).await] {
        // Once through the store, once from memory.
        for _ in 0..2 {
            for name in [None, Some(id.as_str()), Some("@kim")] {
                let credentials = shown(name, &token);
                let found = world.accounts.authenticate(&credentials).await.unwrap();
                assert_eq!(found.map(|found| found.user), Some(kim.id), "{name:?}");
                assert!(matches!(world.accounts.check(&credentials), Checked::Granted(found) if found.user == kim.id));
            }
            let zeros = format!("0{id}");
            for name in ["", "@lee", "@nobody", "kim", "@Kim", "@kim\0", "7", "me", zeros.as_str(), "@"] {
                let credentials = shown(Some(name), &token);
                assert_eq!(world.accounts.authenticate(&credentials).await.unwrap(), None, "{name:?}");
                assert!(!matches!(world.accounts.check(&credentials), Checked::Granted(_)), "{name:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let (access, device) = (world.access_token("@kim").await, world.device_token(&kim).await);
    for token in [&access, &device] {
        assert!(world.identify(token).await.is_some());
        for bad in [format!("{token}\0"), format!(" {token}"), token[..token.len() - 1].to_owned(), String::new()] {
            assert_eq!(world.identify(&bad).await, None, "{bad:?}");
        }
    }
    assert_eq!(world.identify(PASSWORD).await, None, "the password of the account is no token");
    assert_eq!(world.identify(&format!("tld_{}", "0".repeat(64))).await, None);
    assert_eq!(world.accounts.identify(&[0xFF, 0xFE]).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_looked_up_once_and_then_known_without_io() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    for token in [world.access_token("@kim").await, world.device_token(&kim).await] {
        assert_eq!(world.check(&token), Checked::Ask);
        let identity = world.identify(&token).await.unwrap();
        assert_eq!(world.check(&token), Checked::Granted(identity));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_tokens_has_a_bound() {
    let world = World::with(Settings { cache_entries_max: 8, ..Settings::default() }).await;
    let kim = world.user("@kim").await;
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.extend([world.access_token("@kim").await, world.device_token(&kim).await]);
    }
    for token in &tokens {
        assert!(world.identify(token).await.is_some());
    }
    let known = tokens.iter().filter(|token| world.check(token) != Checked::Ask).count();
    assert!((1..=16).contains(&known), "{known} of two caches");
    assert!(world.identify(&tokens[0]).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_a_command_made_is_good_at_once() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let (command, _) = world.another().await;
    let (token, _) = command.add_device_token(kim.id, "lamp").await.unwrap();
    assert_eq!(world.identify(token.reveal()).await.unwrap().user, kim.id);
    let park = command.sign_up("@park", PASSWORD, "Park").await.unwrap();
    assert_eq!(world.accounts.resolve("@park").await.unwrap(), Some(park.id));
    let of_park = world.access_token("@park").await;
    assert_eq!(world.identify(&of_park).await.unwrap().user, park.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_revoked_ends_with_the_next_look_at_the_log() {
    let world = World::new().await;
    let (kim, lee) = (world.user("@kim").await, world.user("@lee").await);
    let (of_kim, lamp) = (world.access_token("@kim").await, world.device_token(&kim).await);
    let (of_lee, kept) = (world.access_token("@lee").await, world.device_token(&lee).await);
    for token in [&of_kim, &lamp, &of_lee, &kept] {
        assert!(world.identify(token).await.is_some());
    }
    let (_, store) = world.another().await;
    assert!(store.revoke_user(kim.id).await.unwrap());
    let gone = world.identify(&of_lee).await.unwrap().device;
    assert!(store.revoke_device(lee.id, gone).await.unwrap());
    let (revoked, upto) = world.accounts.revoked(0).await.unwrap();
    assert_eq!(revoked, [Revoked::User(kim.id), Revoked::Device(lee.id, gone)]);
    assert_eq!(world.accounts.revoked(upto).await.unwrap(), (vec![], upto));
    for token in [&of_kim, &lamp, &of_lee] {
        assert_eq!((world.check(token), world.identify(token).await), (Checked::Ask, None));
    }
    assert!(world.identify(&kept).await.is_some());
    let again = world.access_token("@kim").await;
    assert!(world.identify(&again).await.is_some(), "the version of today is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_remembered_counts_while_the_log_is_not_read() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let tokens = [world.access_token("@kim").await, world.device_token(&kim).await];
    for token in &tokens {
        world.identify(token).await.unwrap();
    }
    world.store.revoke_user(kim.id).await.unwrap();
    world.clock.advance_ms(REVOCATIONS_STALE_MS);
    assert!(tokens.iter().all(|token| matches!(world.check(token), Checked::Granted(_))), "the bound of INV-5");
    world.clock.advance_ms(1);
    for token in &tokens {
        assert_eq!((world.check(token), world.identify(token).await), (Checked::Ask, None));
    }
    let again = world.access_token("@kim").await;
    assert!(world.identify(&again).await.is_some());
    assert_eq!(world.check(&again), Checked::Ask);
    world.accounts.revoked(0).await.unwrap();
    world.identify(&again).await.unwrap();
    assert!(matches!(world.check(&again), Checked::Granted(_)), "it is read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_ahead_does_not_let_the_caches_skip_anything() {
    let world = World::new().await;
    let (kim, lee) = (world.user("@kim").await, world.user("@lee").await);
    let lamp = world.device_token(&kim).await;
    assert!(world.identify(&lamp).await.is_some());
    world.store.revoke_user(kim.id).await.unwrap();
    let (_, ahead) = world.store.revoked(0).await.unwrap();
    world.store.revoke_user(lee.id).await.unwrap();
    assert_eq!(world.accounts.revoked(ahead).await.unwrap().0, [Revoked::User(lee.id)]);
    assert_eq!(world.check(&lamp), Checked::Ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_not_told_of_revocations_before_it_began() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    world.store.revoke_user(kim.id).await.unwrap();
    let (later, _) = world.another().await;
    let (told, upto) = later.revoked(0).await.unwrap();
    assert_eq!(told, []);
    world.store.revoke_user(kim.id).await.unwrap();
    for after in [0, upto] {
        assert_eq!(later.revoked(after).await.unwrap().0, [Revoked::User(kim.id)]);
    }
}

/// Between its look at the store and its entry in the cache a token is revoked, and the log is read: nothing of it may stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_revocation_is_not_remembered_after_it() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    for is_device_token in [true, false] {
        let token = if is_device_token { world.device_token(&kim).await } else { world.access_token("@kim").await };
        let between = Arc::new(Between::new(world.store.clone()));
        let clock = Arc::new(world.clock.clone());
        let ids = Arc::new(CommandIds::open(Arc::new(world.store.clone()), clock.clone()).await.unwrap());
        let accounts = Accounts::open(between.clone(), ids, clock, Settings::default()).await.unwrap();
        let (reader, store) = (accounts.clone(), world.store.clone());
        between.after_the_next_look(async move {
            store.revoke_user(kim.id).await.unwrap();
            assert_eq!(reader.revoked(0).await.unwrap().0, [Revoked::User(kim.id)]);
        });
        accounts.authenticate(&shown(None, &token)).await.unwrap();
        assert_eq!(accounts.check(&shown(None, &token)), Checked::Ask);
        assert_eq!(accounts.authenticate(&shown(None, &token)).await.unwrap(), None);
    }
}

//! Rules of [`DeviceStore`].

use std::sync::Arc;

use talaria_core::limits::{DEVICES_PER_USER_MAX, REVOCATIONS_PAGE_MAX};
use talaria_core::{DeviceId, UserId};
use talaria_port::accounts::{Account, AccountStore, Device};
use talaria_port::authenticate::Revoked;
use talaria_port::devices::DeviceStore;

use super::{Fresh, account, add_users, assert_conflict, device, user};

const MAX: u64 = DEVICES_PER_USER_MAX as u64;

fn token(number: u64) -> [u8; 32] {
    let mut token = [0xEE; 32];
    token[..8].copy_from_slice(&number.to_be_bytes());
    token
}

fn id(id: u64) -> DeviceId {
    DeviceId::new(id).unwrap()
}

async fn add(store: &impl DeviceStore, device: &Device, token: Option<[u8; 32]>) {
    assert!(store.add_device(device, token).await.unwrap());
}

async fn ids(store: &impl DeviceStore, of: u64) -> Vec<u64> {
    store.devices(user(of)).await.unwrap().iter().map(|device| device.id.get()).collect()
}

/// The whole log, as one who reads from its start sees it.
async fn log(store: &impl DeviceStore) -> Vec<Revoked> {
    store.revoked(0).await.unwrap().0
}

/// A device comes back with its account: by its id, by its token, among its user's, oldest first; after reopening too.
pub async fn a_device_comes_back_with_its_account<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), [1, 2]).await;
    let lamp = Device { name: "등 💡".into(), ..device(20, 1) };
    for (device, token) in [(&device(30, 1), None), (&lamp, Some(token(20))), (&device(25, 2), Some(token(25)))] {
        add(&**fresh.store(), device, token).await;
    }
    for _ in 0..2 {
        let store = fresh.store();
        let holder = Some((account(1, "@user1"), lamp.clone()));
        assert_eq!(store.device(id(20)).await.unwrap(), holder);
        assert_eq!(store.by_token(&token(20)).await.unwrap(), holder);
        assert_eq!(store.device(id(30)).await.unwrap(), Some((account(1, "@user1"), device(30, 1))));
        assert_eq!(store.devices(user(1)).await.unwrap(), [lamp.clone(), device(30, 1)]);
        assert_eq!(store.devices(user(2)).await.unwrap(), [device(25, 2)]);
        fresh.reopen().await;
    }
}

/// A token is found by its SHA-256 alone, every byte of it; a device without one by none.
pub async fn a_token_is_found_by_its_sha256_alone<F: Fresh<Store: AccountStore + DeviceStore>>(fresh: F) {
    let store = fresh.store();
    add_users(&**store, [1]).await;
    add(&**store, &device(10, 1), Some(token(10))).await;
    add(&**store, &device(11, 1), None).await;
    for at in 0..32 {
        let mut other = token(10);
        other[at] ^= 1;
        assert_eq!(store.by_token(&other).await.unwrap(), None, "byte {at}");
    }
    for other in [[0; 32], [0xFF; 32]] {
        assert_eq!(store.by_token(&other).await.unwrap(), None);
    }
    assert_eq!(store.device(id(12)).await.unwrap(), None);
    assert_eq!(store.devices(user(2)).await.unwrap(), []);
}

/// A device id, a token and a user each stand for one thing.
pub async fn ids_and_tokens_of_devices_are_unique<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), [1, 2]).await;
    add(&**fresh.store(), &device(10, 1), Some(token(10))).await;
    assert_conflict(fresh.store().add_device(&device(10, 2), Some(token(11))).await);
    assert_conflict(fresh.store().add_device(&device(11, 2), Some(token(10))).await);
    assert_conflict(fresh.store().add_device(&device(12, 3), None).await);
    fresh.reopen().await;
    assert_eq!((ids(&**fresh.store(), 1).await, ids(&**fresh.store(), 2).await), (vec![10], vec![]));
}

/// At the bound the oldest device without a device token makes room and is revoked; another user's count is their own.
pub async fn at_the_bound_the_oldest_without_a_token_makes_room<F: Fresh<Store: AccountStore + DeviceStore>>(fresh: F) {
    let store = fresh.store();
    add_users(&**store, [1, 2]).await;
    for number in 1..=MAX {
        // The two oldest hold device tokens.
        add(&**store, &device(number, 1), (number <= 2).then(|| token(number))).await;
    }
    assert_eq!(log(&**store).await, []);
    add(&**store, &device(1001, 1), None).await;
    add(&**store, &device(1002, 1), Some(token(1002))).await;
    add(&**store, &device(2001, 2), None).await;
    let expected: Vec<_> = (1..=2).chain(5..=MAX).chain([1001, 1002]).collect();
    assert_eq!(ids(&**store, 1).await, expected);
    assert_eq!(log(&**store).await, [Revoked::Device(user(1), id(3)), Revoked::Device(user(1), id(4))]);
}

/// Where all hold device tokens, no further device is added and nothing is taken away.
pub async fn a_device_with_a_token_is_never_pushed_out<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), [1]).await;
    for number in 1..=MAX {
        add(&**fresh.store(), &device(number, 1), Some(token(number))).await;
    }
    assert!(!fresh.store().add_device(&device(1001, 1), None).await.unwrap());
    assert!(!fresh.store().add_device(&device(1001, 1), Some(token(1001))).await.unwrap());
    fresh.reopen().await;
    assert_eq!(ids(&**fresh.store(), 1).await, (1..=MAX).collect::<Vec<_>>());
    assert_eq!((log(&**fresh.store()).await, fresh.store().last_revocation().await.unwrap()), (vec![], 0));
    assert!(fresh.store().revoke_device(user(1), id(9)).await.unwrap());
    add(&**fresh.store(), &device(1001, 1), None).await;
}

/// A revoked device is gone with its token, and the log says so once; another user's, or one that is not there, is not touched.
pub async fn a_revoked_device_is_gone_and_logged_once<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), [1, 2]).await;
    add(&**fresh.store(), &device(10, 1), Some(token(10))).await;
    add(&**fresh.store(), &device(11, 1), Some(token(11))).await;
    assert!(!fresh.store().revoke_device(user(2), id(10)).await.unwrap());
    assert!(!fresh.store().revoke_device(user(1), id(99)).await.unwrap());
    assert!(fresh.store().revoke_device(user(1), id(10)).await.unwrap());
    assert!(!fresh.store().revoke_device(user(1), id(10)).await.unwrap());
    for _ in 0..2 {
        assert_eq!(fresh.store().by_token(&token(10)).await.unwrap(), None);
        assert_eq!(fresh.store().device(id(10)).await.unwrap(), None);
        assert_eq!(ids(&**fresh.store(), 1).await, [11]);
        assert!(fresh.store().by_token(&token(11)).await.unwrap().is_some());
        assert_eq!(log(&**fresh.store()).await, [Revoked::Device(user(1), id(10))]);
        fresh.reopen().await;
    }
}

/// A revoked user's version is higher and the device tokens are worth nothing; the devices stay, and so do others' tokens.
pub async fn a_revoked_user_has_a_higher_version_and_no_tokens<F: Fresh<Store: AccountStore + DeviceStore>>(
    mut fresh: F,
) {
    add_users(&**fresh.store(), [1, 2]).await;
    add(&**fresh.store(), &device(10, 1), Some(token(10))).await;
    add(&**fresh.store(), &device(11, 1), None).await;
    add(&**fresh.store(), &device(12, 2), Some(token(12))).await;
    assert!(fresh.store().revoke_user(user(1)).await.unwrap());
    assert!(fresh.store().revoke_user(user(1)).await.unwrap());
    assert!(!fresh.store().revoke_user(user(3)).await.unwrap());
    fresh.reopen().await;
    let store = fresh.store();
    let raised = Account { token_version: 2, ..account(1, "@user1") };
    assert_eq!(store.account(user(1)).await.unwrap().as_ref(), Some(&raised));
    assert_eq!(store.device(id(10)).await.unwrap(), Some((raised, device(10, 1))));
    assert_eq!(store.by_token(&token(10)).await.unwrap(), None);
    assert_eq!(ids(&**store, 1).await, [10, 11]);
    assert_eq!(store.by_token(&token(12)).await.unwrap(), Some((account(2, "@user2"), device(12, 2))));
    assert_eq!(log(&**store).await, [Revoked::User(user(1)), Revoked::User(user(1))]);
}

/// The log is read on from where one was, page by page; its numbers go on after reopening.
pub async fn the_log_is_read_on_from_where_one_was<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), 1..=3).await;
    assert_eq!(fresh.store().revoked(0).await.unwrap(), (vec![], 0));
    assert_eq!(fresh.store().revoked(7).await.unwrap(), (vec![], 7));
    fresh.store().revoke_user(user(1)).await.unwrap();
    fresh.store().revoke_user(user(2)).await.unwrap();
    let (_, two) = fresh.store().revoked(0).await.unwrap();
    fresh.reopen().await;
    assert_eq!(fresh.store().last_revocation().await.unwrap(), two);
    assert_eq!(fresh.store().revoked(two).await.unwrap(), (vec![], two));
    fresh.store().revoke_user(user(3)).await.unwrap();
    let (new, three) = fresh.store().revoked(two).await.unwrap();
    assert_eq!((new, fresh.store().last_revocation().await.unwrap()), (vec![Revoked::User(user(3))], three));
    assert!(three > two);
}

/// A page has a bound, and pages put together are the log.
pub async fn pages_of_the_log_put_together_are_the_log<F: Fresh<Store: AccountStore + DeviceStore>>(fresh: F) {
    let store = fresh.store();
    let users = 1..=REVOCATIONS_PAGE_MAX as u64 + 5;
    add_users(&**store, users.clone()).await;
    for id in users.clone() {
        store.revoke_user(user(id)).await.unwrap();
    }
    let (first, last) = store.revoked(0).await.unwrap();
    let (second, end) = store.revoked(last).await.unwrap();
    assert_eq!((first.len(), second.len()), (REVOCATIONS_PAGE_MAX, 5));
    assert!(first.into_iter().chain(second).eq(users.map(|id| Revoked::User(user(id)))));
    assert_eq!(store.revoked(end).await.unwrap(), (vec![], end));
}

/// One who reads on while two processes revoke misses none and sees none twice: no number appears below one that was seen.
pub async fn a_reader_misses_no_revocation_of_two_writers<F: Fresh<Store: AccountStore + DeviceStore>>(fresh: F) {
    const EACH: u64 = 100;
    add_users(&**fresh.store(), 1..=2 * EACH).await;
    let mut writers = Vec::new();
    for (store, first) in [(fresh.store().clone(), 1), (fresh.beside().await, 1 + EACH)] {
        writers.push(tokio::spawn(async move {
            for id in first..first + EACH {
                store.revoke_user(user(id)).await.unwrap();
            }
        }));
    }
    let reader: Arc<F::Store> = fresh.beside().await;
    let (mut seen, mut after): (Vec<UserId>, u64) = (Vec::new(), 0);
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let (new, last) = reader.revoked(after).await.unwrap();
        assert_eq!(last > after, !new.is_empty());
        after = last;
        seen.extend(new.iter().map(|revoked| match *revoked {
            Revoked::User(user) | Revoked::Device(user, _) => user,
        }));
        if is_over {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let order_of = |first: u64| seen.iter().map(|id| id.get()).filter(move |id| (first..first + EACH).contains(id));
    assert!(order_of(1).eq(1..=EACH), "{seen:?}");
    assert!(order_of(1 + EACH).eq(1 + EACH..=2 * EACH), "{seen:?}");
}

/// The rules of devices.
#[macro_export]
macro_rules! device_store_suite {
    ($make:path) => {
        $crate::relational_rules!($make, devices: a_device_comes_back_with_its_account,
            a_token_is_found_by_its_sha256_alone, ids_and_tokens_of_devices_are_unique,
            at_the_bound_the_oldest_without_a_token_makes_room, a_device_with_a_token_is_never_pushed_out,
            a_revoked_device_is_gone_and_logged_once, a_revoked_user_has_a_higher_version_and_no_tokens,
            the_log_is_read_on_from_where_one_was, pages_of_the_log_put_together_are_the_log,
            a_reader_misses_no_revocation_of_two_writers);
    };
}

//! Rules of [`AccountStore`].

use std::collections::BTreeMap;
use std::sync::Arc;

use talaria_core::UserId;
use talaria_port::accounts::{Account, AccountStore, NewAccount, PasswordHash};
use talaria_port::devices::DeviceStore;

use super::{Fresh, NONE_TAKEN, account, add_users, assert_conflict, device, handle, user};

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

fn new(account: Account) -> NewAccount {
    NewAccount { account, password: None, device: None }
}

/// Every field comes back by every way, after reopening too: scripts, the largest numbers, a hash, none.
pub async fn an_account_comes_back_with_every_field<F: Fresh<Store: AccountStore>>(mut fresh: F) {
    let largest = i64::MAX as u64;
    let with_all = Account {
        id: user(largest),
        handle: handle("@a.b-c_9"),
        name: "김민지 🎉 \"o'Neill\"\\".into(),
        created_unix_ms: largest,
        token_version: u32::MAX,
    };
    let bare = account(1, "@kim");
    let made = [NewAccount { password: Some(hash("$argon2id$🎉")), ..new(with_all.clone()) }, new(bare.clone())];
    assert_eq!(fresh.store().create(&made).await.unwrap(), NONE_TAKEN);
    for _ in 0..2 {
        let store = fresh.store();
        assert_eq!(store.account(with_all.id).await.unwrap().as_ref(), Some(&with_all));
        assert_eq!(
            store.by_handle(&with_all.handle).await.unwrap(),
            Some((with_all.clone(), Some(hash("$argon2id$🎉"))))
        );
        assert_eq!(store.by_handle(&bare.handle).await.unwrap(), Some((bare.clone(), None)));
        assert_eq!(store.accounts(&[with_all.id, bare.id]).await.unwrap(), [bare.clone(), with_all.clone()]);
        fresh.reopen().await;
    }
}

/// Who does not exist is none, and no error.
pub async fn nobody_is_found_where_nobody_is<F: Fresh<Store: AccountStore>>(fresh: F) {
    let store = fresh.store();
    add_users(&**store, [1]).await;
    assert_eq!(store.account(user(2)).await.unwrap(), None);
    assert_eq!(store.by_handle(&handle("@user2")).await.unwrap(), None);
    assert_eq!(store.by_handle(&handle("@user")).await.unwrap(), None);
    assert_eq!(store.accounts(&[user(2)]).await.unwrap(), []);
    assert_eq!(store.accounts(&[]).await.unwrap(), []);
    assert_eq!(store.create(&[]).await.unwrap(), NONE_TAKEN);
}

/// Lists come by id, each once, whatever was asked for and however much.
pub async fn accounts_come_by_id_each_once<F: Fresh<Store: AccountStore>>(fresh: F) {
    add_users(&**fresh.store(), 1..=1200).await;
    let asked: Vec<_> = (1..=2400).rev().chain(1..=100).map(user).collect();
    let found: Vec<_> = fresh.store().accounts(&asked).await.unwrap().iter().map(|account| account.id.get()).collect();
    assert_eq!(found, (1..=1200).collect::<Vec<_>>());
}

/// A handle has one account: a second one is told by its place, also within one call, and only that one is left out, with its device.
pub async fn a_handle_belongs_to_one_account<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    let with_device =
        |id, called| NewAccount { device: Some((device(id, id), [id as u8; 32])), ..new(account(id, called)) };
    assert_eq!(fresh.store().create(&[with_device(1, "@kim")]).await.unwrap(), NONE_TAKEN);
    let batch = [with_device(2, "@lee"), with_device(3, "@kim"), with_device(4, "@lee"), with_device(5, "@park")];
    assert_eq!(fresh.store().create(&batch).await.unwrap(), [1, 2]);
    fresh.reopen().await;
    let store = fresh.store();
    for (called, id) in [("@kim", 1), ("@lee", 2), ("@park", 5)] {
        assert_eq!(store.by_handle(&handle(called)).await.unwrap().unwrap().0, account(id, called));
        assert_eq!(store.by_token(&[id as u8; 32]).await.unwrap(), Some((account(id, called), device(id, id))));
    }
    for left_out in [3, 4] {
        assert_eq!(store.account(user(left_out)).await.unwrap(), None);
        assert_eq!(store.by_token(&[left_out as u8; 32]).await.unwrap(), None);
    }
}

/// Places of taken handles are right in a batch of any size.
pub async fn places_are_right_in_a_large_batch<F: Fresh<Store: AccountStore>>(fresh: F) {
    let store = fresh.store();
    let ids = (1..=3000).filter(|id| id % 7 == 0);
    add_users(&**store, ids.clone()).await;
    let batch: Vec<_> = (1..=3000).map(|id| new(account(10_000 + id, &format!("@user{id}")))).collect();
    let expected: Vec<_> = ids.map(|id| id as usize - 1).collect();
    assert_eq!(store.create(&batch).await.unwrap(), expected);
    assert_eq!(store.account(user(13_000)).await.unwrap().unwrap().handle, handle("@user3000"));
}

/// An id that exists is a conflict, and then nothing of the batch is made.
pub async fn an_id_that_exists_is_a_conflict<F: Fresh<Store: AccountStore + DeviceStore>>(mut fresh: F) {
    add_users(&**fresh.store(), [1]).await;
    assert!(fresh.store().add_device(&device(70, 1), None).await.unwrap());
    let other = |id, called| new(account(id, called));
    assert_conflict(fresh.store().create(&[other(2, "@lee"), other(1, "@park")]).await);
    let same_device = NewAccount { device: Some((device(70, 3), [3; 32])), ..other(3, "@choi") };
    assert_conflict(fresh.store().create(&[other(2, "@lee"), same_device]).await);
    fresh.reopen().await;
    for called in ["@lee", "@park", "@choi"] {
        assert_eq!(fresh.store().by_handle(&handle(called)).await.unwrap(), None, "{called}");
    }
    assert_eq!(fresh.store().account(user(1)).await.unwrap(), Some(account(1, "@user1")));
}

/// The hash of a password is replaced only while it is the one that was looked at.
pub async fn a_password_is_replaced_only_where_it_is_still_the_same<F: Fresh<Store: AccountStore>>(mut fresh: F) {
    let with_hash = |id, called| NewAccount { password: Some(hash("old")), ..new(account(id, called)) };
    let made = [with_hash(1, "@kim"), with_hash(2, "@lee"), new(account(3, "@park"))];
    assert_eq!(fresh.store().create(&made).await.unwrap(), NONE_TAKEN);
    assert!(fresh.store().replace_password(user(1), &hash("old"), &hash("new")).await.unwrap());
    assert!(!fresh.store().replace_password(user(1), &hash("old"), &hash("newer")).await.unwrap());
    assert!(!fresh.store().replace_password(user(3), &hash("old"), &hash("new")).await.unwrap());
    assert!(!fresh.store().replace_password(user(4), &hash("old"), &hash("new")).await.unwrap());
    fresh.reopen().await;
    for (called, expected) in [("@kim", Some("new")), ("@lee", Some("old")), ("@park", None)] {
        let found = fresh.store().by_handle(&handle(called)).await.unwrap().unwrap();
        assert_eq!(found.1, expected.map(hash), "{called}");
    }
}

/// Two processes that make the same handles at once: each handle goes to one of them, and both see the same.
pub async fn of_two_makers_of_a_handle_one_wins<F: Fresh<Store: AccountStore>>(fresh: F) {
    let rivals = [fresh.store().clone(), fresh.beside().await];
    let mut makers = Vec::new();
    for (store, first_id) in rivals.iter().map(Arc::clone).zip([1, 1001]) {
        makers.push(tokio::spawn(async move {
            let mut won: BTreeMap<_, UserId> = BTreeMap::new();
            for number in 0..60 {
                let account = account(first_id + number, &format!("@user{number}"));
                if store.create(&[new(account.clone())]).await.unwrap().is_empty() {
                    won.insert(account.handle, account.id);
                }
            }
            won
        }));
    }
    let mut owners = BTreeMap::new();
    for maker in makers {
        for (handle, id) in maker.await.unwrap() {
            assert_eq!(owners.insert(handle.clone(), id), None, "{handle} was made twice");
        }
    }
    assert_eq!(owners.len(), 60);
    for (handle, id) in owners {
        for store in &rivals {
            assert_eq!(store.by_handle(&handle).await.unwrap().unwrap().0.id, id);
        }
    }
}

/// What one process made the other sees at once.
pub async fn what_one_made_the_other_sees<F: Fresh<Store: AccountStore>>(fresh: F) {
    let other = fresh.beside().await;
    for id in (1..40).step_by(2) {
        add_users(&**fresh.store(), [id]).await;
        assert!(other.account(user(id)).await.unwrap().is_some(), "{id}");
        add_users(&*other, [id + 1]).await;
        assert!(fresh.store().by_handle(&handle(&format!("@user{}", id + 1))).await.unwrap().is_some(), "{id}");
    }
}

/// The rules of accounts.
#[macro_export]
macro_rules! account_store_suite {
    ($make:path) => {
        $crate::relational_rules!($make, accounts: an_account_comes_back_with_every_field,
            nobody_is_found_where_nobody_is, accounts_come_by_id_each_once, a_handle_belongs_to_one_account,
            places_are_right_in_a_large_batch, an_id_that_exists_is_a_conflict,
            a_password_is_replaced_only_where_it_is_still_the_same, of_two_makers_of_a_handle_one_wins,
            what_one_made_the_other_sees);
    };
}

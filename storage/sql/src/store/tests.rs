use talaria_core::UserId;
use talaria_port::accounts::{Account, AccountStore, NewAccount};

use super::*;

fn accounts(ids: std::ops::Range<u64>) -> Vec<NewAccount> {
    let account = |id: u64| Account {
        id: UserId::new(id).unwrap(),
        handle: format!("@user{id}").parse().unwrap(),
        name: "n".repeat(150),
        created_unix_ms: 1,
        token_version: 0,
    };
    ids.map(|id| NewAccount { account: account(id), password: None, device: None }).collect()
}

#[tokio::test]
async fn after_a_full_disk_writes_go_on_and_nothing_of_the_failed_one_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
    AccountStore::create(&store, &accounts(1..10)).await.unwrap();
    for _ in 0..3 {
        // As much as there is: for this connection the disk is full.
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&store.writer).await.unwrap();
        let error = AccountStore::create(&store, &accounts(10..2000)).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Full, "{error}");
        assert!(store.account(UserId::new(5).unwrap()).await.unwrap().is_some(), "reads go on");
    }
    sqlx::raw_sql("PRAGMA max_page_count = 4294967294").execute(&store.writer).await.unwrap();
    AccountStore::create(&store, &accounts(3000..3010)).await.unwrap();
    drop(store);
    // Every row is read and summed.
    let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
    assert_eq!(store.account(UserId::new(10).unwrap()).await.unwrap(), None);
    assert!(store.account(UserId::new(3009).unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_keeps_no_later_write_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
    let mut tx = store.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
    drop(tx);
    for id in 1..4 {
        AccountStore::create(&store, &accounts(id..id + 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_is_on_stable_storage_when_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.writer).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.writer).await.unwrap();
    // 2 is FULL (sqlite.org/pragma.html#pragma_synchronous): in WAL every commit is synced.
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

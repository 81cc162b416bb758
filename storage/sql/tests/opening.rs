//! Opening the file: who may read it, old and new schemas, damage, and others that have it open.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use talaria_core::{ChannelId, DeviceId, Seq, UserId};
use talaria_port::StoreErrorKind;
use talaria_port::accounts::{Account, AccountStore, NewAccount};
use talaria_port::authenticate::Revoked;
use talaria_port::channels::{Change, ChannelStore, Intent, Interval};
use talaria_port::devices::DeviceStore;
use talaria_port::ids::IdRanges;
use talaria_port::signing_keys::SigningKeyStore;
use talaria_storage_sql::SqliteStore;
use tempfile::TempDir;

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("talaria.db")
}

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn new(id: u64) -> NewAccount {
    let handle = format!("@user{id}").parse().unwrap();
    let account = Account { id: user(id), handle, name: "n".repeat(150), created_unix_ms: 1, token_version: 0 };
    NewAccount { account, password: None, device: None }
}

async fn add(store: &SqliteStore, ids: impl IntoIterator<Item = u64>) {
    let accounts: Vec<_> = ids.into_iter().map(new).collect();
    assert!(AccountStore::create(store, &accounts).await.unwrap().is_empty());
}

/// A connection that knows nothing of the store.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn execute(connection: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

#[tokio::test]
async fn all_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    add(&store, [1]).await;
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_database_of_the_first_schema_opens_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = raw(&file(&folder)).await;
    execute(&mut old, include_str!("samples/schema_1.sql")).await;
    old.close().await.unwrap();
    // The second time nothing is left to do.
    for _ in 0..2 {
        let store = SqliteStore::open(file(&folder)).await.unwrap();
        let (kim, hash) = store.by_handle(&"@kim".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((kim.id, kim.name.as_str(), kim.token_version), (user(11), "김민지", 2));
        assert!(hash.unwrap().reveal().starts_with("$argon2id$v=19$m=19456"));
        let (lamp, device) = store.by_token(&[0x22; 32]).await.unwrap().unwrap();
        assert_eq!((lamp.id, device.id.get(), device.name.as_str()), (user(12), 22, "lamp"));
        assert_eq!(store.devices(user(11)).await.unwrap().len(), 1);
        let phone = DeviceId::new(20).unwrap();
        let revoked = vec![Revoked::User(user(11)), Revoked::Device(user(11), phone)];
        assert_eq!(store.revoked(0).await.unwrap(), (revoked, 2));
        let keys = store.signing_keys().await.unwrap();
        assert_eq!((keys.len(), keys[0].id.as_str(), keys[0].secret), (1, "0011223344556677", [0x33; 32]));
        let id = ChannelId::new(31).unwrap();
        let roster = store.roster(id).await.unwrap().unwrap();
        assert_eq!((roster.channel.name.as_str(), roster.channel.history_shared), ("점심", true));
        assert_eq!(roster.members, [(user(11), Seq(1))]);
        let begun = Intent { id: 41, channel: id, user: user(12), by: user(11), change: Change::Join };
        assert_eq!(roster.intents, [begun]);
        let left = Interval { joined_seq: Seq(2), left_seq: Some(Seq(5)) };
        assert_eq!(store.intervals(id, user(12)).await.unwrap().rows(), [left]);
        store.reserve(1_800_000_000_000, 1).await.unwrap();
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    SqliteStore::open(file(&folder)).await.unwrap().close().await.unwrap();
    let mut newer = raw(&file(&folder)).await;
    let row = "INSERT INTO _sqlx_migrations VALUES (9999, 'of tomorrow', '2035-01-01', 1, x'00', 1)";
    execute(&mut newer, row).await;
    newer.close().await.unwrap();
    let before = fs::read(file(&folder)).unwrap();
    for _ in 0..2 {
        let error = SqliteStore::open(file(&folder)).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Misuse);
        assert!(error.to_string().contains("newer release"), "{error}");
    }
    assert!(fs::read(file(&folder)).unwrap() == before);
}

/// A database of several hundred pages, closed.
async fn filled(folder: &TempDir) -> PathBuf {
    let store = SqliteStore::open(file(folder)).await.unwrap();
    add(&store, 1..=4000).await;
    store.close().await.unwrap();
    file(folder)
}

async fn refusal(path: &Path) -> StoreErrorKind {
    SqliteStore::open(path).await.map(|_| ()).unwrap_err().kind
}

#[tokio::test]
async fn a_damaged_page_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder).await;
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    assert!(pages > 200);
    for page in [1, 2, 40, pages / 2, pages - 1] {
        let copy = folder.path().join(format!("damaged-{page}.db"));
        fs::copy(&path, &copy).unwrap();
        let mut damaged = File::options().write(true).open(&copy).unwrap();
        damaged.seek(SeekFrom::Start(page * 4096)).unwrap();
        damaged.write_all(&[0xA5; 64]).unwrap();
        assert_eq!(refusal(&copy).await, StoreErrorKind::Damaged, "page {page}");
    }
}

#[tokio::test]
async fn what_is_cut_off_or_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder).await;
    let len = fs::metadata(&path).unwrap().len();
    let cut = folder.path().join("cut.db");
    fs::copy(&path, &cut).unwrap();
    File::options().write(true).open(&cut).unwrap().set_len(len / 2).unwrap();
    assert_eq!(refusal(&cut).await, StoreErrorKind::Damaged);
    let other = folder.path().join("other.db");
    fs::write(&other, "no database at all\n".repeat(1000)).unwrap();
    assert_eq!(refusal(&other).await, StoreErrorKind::Damaged);
    assert_eq!(refusal(&folder.path().join("missing/talaria.db")).await, StoreErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_make_the_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let mut opening = Vec::new();
        for id in 1..=8 {
            let path = file(&folder);
            opening.push(tokio::spawn(async move {
                let store = SqliteStore::open(path).await.unwrap();
                add(&store, [id]).await;
                store.close().await.unwrap();
            }));
        }
        for opening in opening {
            opening.await.unwrap();
        }
        let store = SqliteStore::open(file(&folder)).await.unwrap();
        assert_eq!(store.accounts(&(1..=8).map(user).collect::<Vec<_>>()).await.unwrap().len(), 8);
    }
}

#[tokio::test]
async fn who_closes_it_last_seals_it() {
    let folder = tempfile::tempdir().unwrap();
    let seal = folder.path().join("talaria.db.seal");
    let (one, other) =
        (SqliteStore::open(file(&folder)).await.unwrap(), SqliteStore::open(file(&folder)).await.unwrap());
    add(&one, [1]).await;
    one.close().await.unwrap();
    assert!(!seal.exists(), "another one has it open");
    add(&other, [2]).await;
    other.close().await.unwrap();
    assert!(seal.exists());
    let sealed = fs::read(&seal).unwrap();
    let again = SqliteStore::open(file(&folder)).await.unwrap();
    add(&again, [3]).await;
    again.close().await.unwrap();
    assert_ne!(fs::read(&seal).unwrap(), sealed);
}

#[tokio::test]
async fn who_reads_does_not_wait_for_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    add(&store, [1]).await;
    let mut other = raw(&file(&folder)).await;
    execute(&mut other, "BEGIN IMMEDIATE; UPDATE account SET name = 'not committed'").await;
    assert_eq!(store.account(user(1)).await.unwrap(), Some(new(1).account));
    execute(&mut other, "COMMIT").await;
    assert_eq!(store.account(user(1)).await.unwrap().unwrap().name, "not committed");
}

#[tokio::test]
async fn rows_that_cannot_be_are_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    add(&store, 1..=3).await;
    let mut other = raw(&file(&folder)).await;
    let changes = "UPDATE account SET handle = 'Not A Handle' WHERE id = 1; \
                   UPDATE account SET token_version = -1 WHERE id = 2; \
                   INSERT INTO signing_key VALUES ('k', zeroblob(32), -5)";
    execute(&mut other, changes).await;
    assert_eq!(store.account(user(1)).await.unwrap_err().kind, StoreErrorKind::Damaged);
    assert_eq!(store.account(user(2)).await.unwrap_err().kind, StoreErrorKind::Damaged);
    assert_eq!(store.accounts(&[user(2), user(3)]).await.unwrap_err().kind, StoreErrorKind::Damaged);
    assert_eq!(store.signing_keys().await.unwrap_err().kind, StoreErrorKind::Damaged);
    assert!(store.account(user(3)).await.unwrap().is_some());
}

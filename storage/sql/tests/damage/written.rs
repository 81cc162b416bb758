//! A row of every kind, written and changed in every way, and read again through the ports.

use talaria_core::{ChannelId, DeviceId, Seq, UserId};
use talaria_port::StoreError;
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, PasswordHash};
use talaria_port::authenticate::Revoked;
use talaria_port::channels::{Change, Channel, ChannelStore, Intent, Interval, Roster};
use talaria_port::devices::DeviceStore;
use talaria_port::ids::IdRanges;
use talaria_port::signing_keys::{SigningKey, SigningKeyStore};
use talaria_storage_sql::SqliteStore;
use tempfile::TempDir;

use crate::image::Image;

const USERS: u64 = 120;

/// Of one account, nowhere else.
pub(crate) const NAME: &str = "the name of one account";

/// Everything that can be read.
#[derive(PartialEq, Debug)]
pub(crate) struct Written {
    accounts: Vec<Account>,
    by_handle: Vec<Option<(Account, Option<PasswordHash>)>>,
    devices: Vec<Vec<Device>>,
    by_token: Vec<Option<(Account, Device)>>,
    revoked: (Vec<Revoked>, u64),
    signing_keys: Vec<SigningKey>,
    rosters: Vec<Option<Roster>>,
    intervals: Vec<Vec<Interval>>,
    channels: Vec<Vec<Channel>>,
    unsettled: Vec<Intent>,
}

pub(crate) async fn open(folder: &TempDir) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(folder.path().join("talaria.db")).await
}

pub(crate) async fn open_beside(folder: &TempDir) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_beside(folder.path().join("talaria.db")).await
}

/// What was written, the files after a close, and those that a kill leaves.
pub(crate) async fn make() -> (Written, Image, Image) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await.unwrap();
    write_accounts(&store).await;
    // Some of it is in the file, and the rest still in the log.
    store.close().await.unwrap();
    let store = open(&folder).await.unwrap();
    write_rest(&store).await;
    let written = Written::of(&store).await.unwrap();
    let crashed = Image::of(folder.path());
    assert!(crashed.files[crashed.file("talaria.db-wal")].1.len() > 20 * 4096);
    store.close().await.unwrap();
    (written, Image::of(folder.path()), crashed)
}

/// The files of a database that holds less.
pub(crate) async fn older_image() -> Image {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await.unwrap();
    write_accounts(&store).await;
    store.close().await.unwrap();
    Image::of(folder.path())
}

fn user(id: u64) -> UserId {
    UserId::new(1_000_000_000_000_000_000 + id).unwrap()
}

fn channel(id: u64) -> ChannelId {
    ChannelId::new(2_000_000_000_000_000_000 + id).unwrap()
}

fn device(id: u64, of: u64) -> Device {
    let name = format!("device {id}");
    Device { id: DeviceId::new(3_000_000_000_000_000_000 + id).unwrap(), user: user(of), name, created_unix_ms: id }
}

fn handle(id: u64) -> talaria_core::Handle {
    format!("@user{id}").parse().unwrap()
}

fn token(id: u64) -> [u8; 32] {
    let mut token = [id as u8; 32];
    token[31] = 7;
    token
}

fn intent(id: u64, at: u64, of: u64, change: Change) -> Intent {
    Intent { id, channel: channel(at), user: user(of), by: user(1), change }
}

fn hash(id: u64) -> PasswordHash {
    PasswordHash::new(format!("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l${id:043}"))
}

async fn write_accounts(store: &SqliteStore) {
    let new = |id: u64| {
        let name = if id == 77 { NAME.to_owned() } else { format!("김 {id}") };
        let account = Account { id: user(id), handle: handle(id), name, created_unix_ms: id, token_version: 0 };
        let password = id.is_multiple_of(2).then(|| hash(id));
        NewAccount { account, password, device: Some((device(id, id), token(id))) }
    };
    let accounts: Vec<_> = (1..=USERS).map(new).collect();
    assert!(AccountStore::create(store, &accounts).await.unwrap().is_empty());
}

async fn write_rest(store: &SqliteStore) {
    assert!(store.replace_password(user(2), &hash(2), &hash(1000)).await.unwrap());
    for id in 1001..1020 {
        assert!(store.add_device(&device(id, id % 7 + 1), None).await.unwrap());
    }
    assert!(store.revoke_device(user(3), device(3, 3).id).await.unwrap());
    assert!(store.revoke_user(user(4)).await.unwrap());
    for (id, created_unix_ms) in [("a", 1), ("b", 2), ("c", 3)] {
        store.add_signing_key(&SigningKey { id: id.into(), secret: token(9), created_unix_ms }).await.unwrap();
    }
    assert_eq!(store.retire_signing_keys(2).await.unwrap(), 1);
    store.reserve(1_800_000_000_000, 5).await.unwrap();
    for at in 1..=3 {
        write_channel(store, at).await;
    }
}

async fn write_channel(store: &SqliteStore, at: u64) {
    let new = Channel {
        id: channel(at),
        name: format!("점심 {at}"),
        owner: user(1),
        created_unix_ms: at,
        history_shared: at == 2,
    };
    let joins: Vec<_> = (1..=20).map(|of| intent(at * 100 + of, at, of, Change::Join)).collect();
    ChannelStore::create(store, &new, &joins).await.unwrap();
    let settled: Vec<_> = joins.iter().map(|join| (*join, Seq(join.id % 100))).collect();
    store.settle(&settled[..18]).await.unwrap();
    store.withdraw(joins[18].id).await.unwrap();
    let leaves = [intent(at * 100 + 50, at, 5, Change::Leave), intent(at * 100 + 51, at, 6, Change::Leave)];
    store.begin(&leaves).await.unwrap();
    store.settle(&[(leaves[0], Seq(40))]).await.unwrap();
    store.settle(&[(intent(at * 100 + 52, at, 5, Change::Join), Seq(50))]).await.unwrap();
}

impl Written {
    async fn of(store: &SqliteStore) -> Result<Self, StoreError> {
        let users: Vec<_> = (1..=USERS).map(user).collect();
        let mut found = Self {
            accounts: store.accounts(&users).await?,
            by_handle: Vec::new(),
            devices: Vec::new(),
            by_token: Vec::new(),
            revoked: store.revoked(0).await?,
            signing_keys: store.signing_keys().await?,
            rosters: Vec::new(),
            intervals: Vec::new(),
            channels: Vec::new(),
            unsettled: store.unsettled().await?,
        };
        for id in 1..=USERS {
            found.by_handle.push(store.by_handle(&handle(id)).await?);
            found.devices.push(store.devices(user(id)).await?);
            found.by_token.push(store.by_token(&token(id)).await?);
            found.channels.push(store.channels_of(user(id)).await?);
        }
        for at in 1..=3 {
            found.rosters.push(store.roster(channel(at)).await?);
            for of in 1..=20 {
                found.intervals.push(store.intervals(channel(at), user(of)).await?.rows().to_vec());
            }
        }
        Ok(found)
    }

    /// Reads the same again.
    pub(crate) async fn read(&self, store: &SqliteStore) -> Result<Self, StoreError> {
        Self::of(store).await
    }
}

//! Rules of the relational stores: accounts, devices, signing keys, channels, people, and ids for commands. Start at [`Fresh`]; one file a port, in which
//! each public function is a rule.
//!
//! A backend's test file makes a [`Fresh`] and has one line a port, such as `talaria_storage_contract::account_store_suite!(make);`, where `make` is an
//! `async fn`. The rules ask for what every SQL database promises to transactions that take turns, and for nothing of one product.

pub mod accounts;
pub mod channels;
pub mod devices;
pub mod ids;
pub mod people;
pub mod signing_keys;

use std::sync::Arc;

use talaria_core::{DeviceId, Handle, UserId};
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount};
use talaria_port::{StoreError, StoreErrorKind};

/// A store that can be closed and opened again, and opened by several at once.
pub trait Fresh: Send {
    /// The backend.
    type Store: Send + Sync + 'static;

    /// The store as it is open now.
    fn store(&self) -> &Arc<Self::Store>;

    /// The same data through connections of its own, as another process has it; memory gives the same store.
    fn beside(&self) -> impl Future<Output = Arc<Self::Store>> + Send;

    /// Closes it and opens it again; memory takes what a crash would leave.
    fn reopen(&mut self) -> impl Future<Output = ()> + Send;
}

/// Runs a rule on several threads, so that what is spawned really meets.
pub fn run(rule: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(rule);
}

/// One `#[test]` a rule.
#[macro_export]
#[doc(hidden)]
macro_rules! relational_rules {
    ($make:path, $port:ident: $($rule:ident),* $(,)?) => {
        $(#[test]
        fn $rule() {
            $crate::relational::run(async { $crate::relational::$port::$rule($make().await).await });
        })*
    };
}

/// What making accounts answers where every handle was free.
const NONE_TAKEN: [usize; 0] = [];

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

fn account(id: u64, called: &str) -> Account {
    let (handle, name) = (handle(called), called.to_owned());
    Account { id: user(id), handle, name, created_unix_ms: 1_800_000_000_000 + id, token_version: 0 }
}

fn device(id: u64, of: u64) -> Device {
    let name = format!("device {id}");
    Device { id: DeviceId::new(id).unwrap(), user: user(of), name, created_unix_ms: 1_800_000_000_000 + id }
}

/// Accounts of these ids, `@user7` and so on, without passwords and devices.
async fn add_users(store: &impl AccountStore, ids: impl IntoIterator<Item = u64>) {
    let new = |id| NewAccount { account: account(id, &format!("@user{id}")), password: None, device: None };
    let accounts: Vec<_> = ids.into_iter().map(new).collect();
    assert_eq!(store.create(&accounts).await.unwrap(), NONE_TAKEN);
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_eq!(result.unwrap_err().kind, StoreErrorKind::Conflict);
}

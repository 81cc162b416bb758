//! Sign-up, log-in and tokens on the real relational store.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, as in any test")]

use std::sync::Arc;

use talaria_accounts::{Accounts, CommandIds, Settings};
use talaria_core::Code;
use talaria_core::id::EPOCH_UNIX_MS;
use talaria_port::authenticate::{Authenticate, Checked, Credentials};
use talaria_port::devices::DeviceStore;
use talaria_storage_memory::ManualClock;
use talaria_storage_sql::SqliteStore;

async fn open(folder: &tempfile::TempDir) -> (Arc<Accounts>, SqliteStore, ManualClock) {
    let clock = ManualClock::new(EPOCH_UNIX_MS + 1_000_000);
    let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
    let ids = Arc::new(CommandIds::open(Arc::new(store.clone()), Arc::new(clock.clone())).await.unwrap());
    let accounts = Accounts::open(Arc::new(store.clone()), ids, Arc::new(clock.clone()), Settings::default());
    (accounts.await.unwrap(), store, clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (accounts, ..) = open(&folder).await;
    accounts.sign_up("@kim", "correct horse", "김").await.unwrap();
    assert_eq!(accounts.sign_up("@kim", "correct horse", "Kim").await.unwrap_err().code, Code::HandleTaken);
    assert!(accounts.log_in("@kim", "correct horse", "phone").await.is_ok());
    let unknown = accounts.log_in("@lee", "correct horse", "phone").await.err().unwrap();
    for wrong in ["correct horse\0", "correct", "", "correct horse2"] {
        assert_eq!(accounts.log_in("@kim", wrong, "phone").await.err().unwrap(), unknown, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_their_time_and_with_their_revocation() {
    let folder = tempfile::tempdir().unwrap();
    let (accounts, store, clock) = open(&folder).await;
    let kim = accounts.sign_up("@kim", "correct horse", "Kim").await.unwrap();
    let token = accounts.log_in("@kim", "correct horse", "phone").await.unwrap().access_token;
    let token = token.reveal().to_owned();
    let (lamp, _) = accounts.add_device_token(kim.id, "lamp").await.unwrap();
    let lamp = lamp.reveal().to_owned();
    let shown = |name: &str, token: &str| Credentials { name: Some(name.into()), token: token.as_bytes().into() };
    for token in [&token, &lamp] {
        assert_eq!(accounts.identify(token.as_bytes()).await.unwrap().unwrap().user, kim.id);
        assert!(matches!(accounts.check(&shown(&kim.id.to_string(), token)), Checked::Granted(_)));
        assert_eq!(accounts.check(&shown("7", token)), Checked::Denied);
        assert_eq!(accounts.identify(format!("{token}\0").as_bytes()).await.unwrap(), None);
    }
    store.revoke_user(kim.id).await.unwrap();
    accounts.revoked(0).await.unwrap();
    for token in [&token, &lamp] {
        assert_eq!(accounts.identify(token.as_bytes()).await.unwrap(), None);
    }
    let again = accounts.log_in("@kim", "correct horse", "phone").await.unwrap().access_token;
    assert!(accounts.identify(again.reveal().as_bytes()).await.unwrap().is_some());
    clock.advance_ms(3_600_000);
    assert_eq!(accounts.identify(again.reveal().as_bytes()).await.unwrap(), None);
}

//! Nothing secret is printed or logged (HARDENING "Around it"). In a program of its own, because what all threads log is caught.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use talaria_accounts::{Accounts, CommandIds, Settings};
use talaria_port::accounts::{AccountStore as _, NewAccount, PasswordHash};
use talaria_port::authenticate::Credentials;
use talaria_port::signing_keys::SigningKeyStore as _;
use talaria_storage_memory::SystemClock;
use talaria_storage_sql::SqliteStore;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Caught {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_of_any_level_and_no_debug_form_holds_a_secret() {
    let caught = Caught::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(caught.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("talaria.db")).await.unwrap());
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(CommandIds::open(store.clone(), clock.clone()).await.unwrap());
    let accounts = Accounts::open(store.clone(), ids, clock, Settings::default()).await.unwrap();
    let (password, wrong, imported) = ("correct horse battery", "wrong horse battery", "imported horse battery");
    let kim = accounts.sign_up("@kim", password, "Kim").await.unwrap();
    let access = accounts.log_in("@kim", password, "phone").await.unwrap().access_token;
    let (device, _) = accounts.add_device_token(kim.id, "lamp").await.unwrap();
    for token in [&access, &device] {
        accounts.identify(token.reveal().as_bytes()).await.unwrap().unwrap();
    }
    assert!(accounts.log_in("@kim", wrong, "phone").await.is_err());
    let lines = format!("{{\"handle\":\"@lee\",\"name\":\"Lee\",\"password\":\"{imported}\"}}\nno JSON {imported}\n");
    let (_, outcome) = accounts.import(lines.as_bytes(), true, &mut |_| Ok(())).await;
    let refused = format!("{:?} {}", outcome.as_ref().unwrap_err(), outcome.as_ref().unwrap_err());
    let (account, hash) = store.by_handle(&kim.handle).await.unwrap().unwrap();
    let hash = hash.unwrap();
    let key = store.signing_keys().await.unwrap().remove(0);
    // And a store that fails, whose error is logged with its cause.
    store.close().await.unwrap();
    assert!(accounts.sign_up("@park", password, "Park").await.is_err());
    assert!(accounts.log_in("@kim", password, "phone").await.is_err());

    let new = NewAccount { account, password: Some(PasswordHash::new(hash.reveal())), device: None };
    let credentials = Credentials { name: None, token: access.reveal().as_bytes().into() };
    let printed = format!("{new:?} {hash:?} {key:?} {credentials:?} {store:?} {refused}");
    let logged = String::from_utf8_lossy(&caught.0.lock().unwrap()).into_owned();
    assert!(logged.contains("the relational store failed"), "nothing is caught");
    let key_bytes = format!("{:?}", key.secret);
    let secrets = [
        key_bytes.as_str(),
        password,
        wrong,
        imported,
        hash.reveal(),
        access.reveal(),
        device.reveal(),
        &hex(&key.secret),
    ];
    for secret in secrets {
        assert!(!logged.contains(secret) && !printed.contains(secret), "{secret}");
        let bytes = format!("{:?}", secret.as_bytes());
        assert!(!logged.contains(&bytes) && !printed.contains(&bytes), "the bytes of {secret}");
    }
}

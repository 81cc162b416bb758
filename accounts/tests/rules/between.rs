//! A store that lets something happen right after one of its answers.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use talaria_core::{DeviceId, Handle, UserId};
use talaria_port::StoreError;
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, PasswordHash};
use talaria_port::authenticate::Revoked;
use talaria_port::devices::DeviceStore;
use talaria_port::signing_keys::{SigningKey, SigningKeyStore};
use talaria_storage_sql::SqliteStore;

type Event = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Between {
    store: SqliteStore,
    event: Mutex<Option<Event>>,
}

impl Between {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store, event: Mutex::new(None) }
    }

    /// `event` happens between the next answer about a device or a token and its return.
    pub(crate) fn after_the_next_look(&self, event: impl Future<Output = ()> + Send + 'static) {
        *self.event.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(event));
    }

    async fn happen(&self) {
        let event = self.event.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(event) = event {
            event.await;
        }
    }
}

#[async_trait]
impl DeviceStore for Between {
    async fn device(&self, id: DeviceId) -> Result<Option<(Account, Device)>, StoreError> {
        let found = self.store.device(id).await;
        self.happen().await;
        found
    }

    async fn by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<(Account, Device)>, StoreError> {
        let found = self.store.by_token(token_sha256).await;
        self.happen().await;
        found
    }

    async fn add_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<bool, StoreError> {
        self.store.add_device(device, token_sha256).await
    }

    async fn devices(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        self.store.devices(user).await
    }

    async fn revoke_device(&self, user: UserId, device: DeviceId) -> Result<bool, StoreError> {
        self.store.revoke_device(user, device).await
    }

    async fn revoke_user(&self, user: UserId) -> Result<bool, StoreError> {
        self.store.revoke_user(user).await
    }

    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError> {
        self.store.revoked(after).await
    }

    async fn last_revocation(&self) -> Result<u64, StoreError> {
        self.store.last_revocation().await
    }
}

#[async_trait]
impl AccountStore for Between {
    async fn create(&self, accounts: &[NewAccount]) -> Result<Vec<usize>, StoreError> {
        AccountStore::create(&self.store, accounts).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.store.account(id).await
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(ids).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<(Account, Option<PasswordHash>)>, StoreError> {
        self.store.by_handle(handle).await
    }

    async fn replace_password(&self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<bool, StoreError> {
        self.store.replace_password(user, from, to).await
    }
}

#[async_trait]
impl SigningKeyStore for Between {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.store.signing_keys().await
    }

    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        self.store.add_signing_key(key).await
    }

    async fn retire_signing_keys(&self, before_unix_ms: u64) -> Result<u64, StoreError> {
        self.store.retire_signing_keys(before_unix_ms).await
    }
}

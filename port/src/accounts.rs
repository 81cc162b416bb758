//! Accounts, credentials and devices as the relational store keeps them. Every write is durable when it returns.

use async_trait::async_trait;
use talaria_core::{DeviceId, Handle, UserId};

use crate::authenticate::Revoked;
use crate::error::StoreError;

/// A user's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Whose.
    pub id: UserId,
    /// Unique among all accounts.
    pub handle: Handle,
    /// For people, in any script.
    pub name: String,
    /// When it was made, Unix ms.
    pub created_unix_ms: u64,
    /// Raised by each revocation of all tokens; a token with a lower one is worth nothing.
    pub token_version: u32,
}

/// What tokens are issued for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose.
    pub user: UserId,
    /// As its user calls it.
    pub name: String,
    /// When it was made, Unix ms.
    pub created_unix_ms: u64,
}

/// A key that access tokens are signed with. Its bytes are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of the tokens.
    pub id: String,
    /// 256 random bits.
    pub secret: [u8; 32],
    /// When it was made, Unix ms; the newest signs, all that are stored verify.
    pub created_unix_ms: u64,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// PHC string of the password; none for accounts that only hold device tokens.
    pub password_hash: Option<String>,
    /// A first device with the SHA-256 of its token.
    pub device: Option<(Device, [u8; 32])>,
}

/// The relational store of accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Makes accounts, all in one transaction. Returns the places in `accounts` whose handle is taken; those are left out.
    async fn create(&self, accounts: &[NewAccount]) -> Result<Vec<usize>, StoreError>;

    /// An account by id.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// Accounts by id; those that do not exist are left out.
    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Account>, StoreError>;

    /// An account by handle, with the hash of its password.
    async fn by_handle(&self, handle: &Handle) -> Result<Option<(Account, Option<String>)>, StoreError>;

    /// Adds a device, with the SHA-256 of its device token where it has one.
    async fn add_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<(), StoreError>;

    /// Who holds the device token with that SHA-256.
    async fn by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<(Account, Device)>, StoreError>;

    /// A user's devices, oldest first.
    async fn devices(&self, user: UserId) -> Result<Vec<Device>, StoreError>;

    /// Removes a device with its token and writes its revocation; `false` where there is none.
    async fn revoke_device(&self, user: UserId, device: DeviceId) -> Result<bool, StoreError>;

    /// Raises the account's token version and writes the revocation.
    async fn revoke_user(&self, user: UserId) -> Result<(), StoreError>;

    /// Revocations after that number of the log, with the number of the last.
    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError>;

    /// Signing keys, newest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Adds a signing key.
    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError>;
}

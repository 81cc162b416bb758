//! Accounts and their passwords as the relational store keeps them. Every write is durable when it returns.

use async_trait::async_trait;
use talaria_core::{DeviceId, Handle, UserId};

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

/// The argon2 hash of a password as a PHC string. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// Of a PHC string; whether it is one is its maker's business.
    pub fn new(phc: impl Into<Box<str>>) -> Self {
        Self(phc.into())
    }

    /// The PHC string: for the store, and for holding a password against it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// None for accounts that only hold device tokens.
    pub password: Option<PasswordHash>,
    /// A first device with the SHA-256 of its token.
    pub device: Option<(Device, [u8; 32])>,
}

/// The relational store of accounts. What one call wrote every later one sees, of this process and of any other.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Makes accounts, all in one transaction. Returns the places in `accounts` whose handle is taken, also by an earlier place, in order; those
    /// are left out with their devices. An id that exists is a [`Conflict`](crate::StoreErrorKind::Conflict), and nothing is made then.
    async fn create(&self, accounts: &[NewAccount]) -> Result<Vec<usize>, StoreError>;

    /// An account by id.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// Accounts by id: each once, ascending; those that do not exist are left out.
    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Account>, StoreError>;

    /// An account by handle, with the hash of its password.
    async fn by_handle(&self, handle: &Handle) -> Result<Option<(Account, Option<PasswordHash>)>, StoreError>;

    /// Replaces the hash of a password while it is still `from`; `false` and nothing is written where it is not.
    async fn replace_password(&self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<bool, StoreError>;
}

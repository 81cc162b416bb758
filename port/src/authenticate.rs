//! Who a client is.

use async_trait::async_trait;
use talaria_core::{DeviceId, UserId};

use crate::error::StoreError;

/// What a client shows: who it says it is, and a token. Never an account's password.
#[derive(Clone)]
pub struct Credentials {
    /// Id or `@handle`, as in CONNECT; left out, the token alone says who.
    pub name: Option<Box<str>>,
    /// An access token or a device token. Its bytes are never logged.
    pub token: Box<[u8]>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A client that is who it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// What the token was issued for.
    pub device: DeviceId,
    /// When the token ends, Unix ms; a live session ends then too.
    pub expires_unix_ms: Option<u64>,
}

/// What can be said without IO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checked {
    /// They are.
    Granted(Identity),
    /// They are not.
    Denied,
    /// Ask [`Authenticate::authenticate`].
    Ask,
}

/// Someone's right to be connected ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revoked {
    /// Every session of the user.
    User(UserId),
    /// The sessions of one device.
    Device(UserId, DeviceId),
}

/// Checks credentials.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// Answers at once where memory and arithmetic are enough; costs a few microseconds. What is remembered of tokens counts only while
    /// [`revoked`](Self::revoked) is asked, at least every [`REVOCATIONS_STALE_MS`](talaria_core::limits::REVOCATIONS_STALE_MS).
    fn check(&self, credentials: &Credentials) -> Checked;

    /// `None` where they are not who they say; missing or broken configuration denies.
    async fn authenticate(&self, credentials: &Credentials) -> Result<Option<Identity>, StoreError>;

    /// Revocations after number `after` with the number of the last; asked at least once a second (INV-5). Those from before this process began
    /// concern nobody here and are left out; whoever begins asks with 0.
    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError>;
}

//! Devices, their tokens and the log of revocations, as the relational store keeps them. Every write is durable when it returns.

use async_trait::async_trait;
use talaria_core::{DeviceId, UserId};

use crate::accounts::{Account, Device};
use crate::authenticate::Revoked;
use crate::error::StoreError;

/// The relational store of devices. What one call wrote every later one sees, of this process and of any other.
#[async_trait]
pub trait DeviceStore: Send + Sync {
    /// Adds a device, with the SHA-256 of its device token where it has one.
    ///
    /// Where its user holds [`DEVICES_PER_USER_MAX`](talaria_core::limits::DEVICES_PER_USER_MAX) already, the oldest without a device token is revoked to make
    /// room; where all have one, `false` and nothing is written. A device id or token that exists, or a user who does not, is a
    /// [`Conflict`](crate::StoreErrorKind::Conflict).
    async fn add_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<bool, StoreError>;

    /// A device with its user's account, from one moment; one look-up.
    async fn device(&self, id: DeviceId) -> Result<Option<(Account, Device)>, StoreError>;

    /// Who holds the device token with that SHA-256; one look-up.
    async fn by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<(Account, Device)>, StoreError>;

    /// A user's devices, oldest first.
    async fn devices(&self, user: UserId) -> Result<Vec<Device>, StoreError>;

    /// Removes a device with its token and writes its revocation; `false` and nothing is written where that user has no such device.
    async fn revoke_device(&self, user: UserId, device: DeviceId) -> Result<bool, StoreError>;

    /// Ends all tokens of a user: raises the account's token version, takes the device tokens away, writes the revocation. The devices stay.
    /// `false` and nothing is written where there is no such user.
    async fn revoke_user(&self, user: UserId) -> Result<bool, StoreError>;

    /// Revocations after that number of the log, in order, with the number of the last that is returned, `after` where there is none. At most
    /// [`REVOCATIONS_PAGE_MAX`](talaria_core::limits::REVOCATIONS_PAGE_MAX) at once. No number is given twice, and none appears below one that was seen.
    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError>;

    /// The number of the last revocation; 0 where there was none.
    async fn last_revocation(&self) -> Result<u64, StoreError>;
}

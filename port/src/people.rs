//! Who exists and by what handle.

use async_trait::async_trait;
use talaria_core::{Handle, UserId};

use crate::error::StoreError;

/// Looks users up.
#[async_trait]
pub trait People: Send + Sync {
    /// The user of that handle where it is known without IO; a miss says nothing.
    fn cached(&self, handle: &Handle) -> Option<UserId>;

    /// The user of that handle.
    async fn by_handle(&self, handle: &Handle) -> Result<Option<UserId>, StoreError>;

    /// Whether there is such a user.
    async fn exists(&self, user: UserId) -> Result<bool, StoreError>;
}

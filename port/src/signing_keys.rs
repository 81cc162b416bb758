//! The ring of keys that access tokens are signed with. Every write is durable when it returns.

use async_trait::async_trait;

use crate::error::StoreError;

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

/// Keeps the ring.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// All of them, newest first; of the same moment by id.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Adds one. An id that exists is a [`Conflict`](crate::StoreErrorKind::Conflict).
    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError>;

    /// Removes those made before that moment, never the newest. Returns how many.
    async fn retire_signing_keys(&self, before_unix_ms: u64) -> Result<u64, StoreError>;
}

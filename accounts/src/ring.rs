//! The ring of signing keys: read from the store, and turned on as time goes by.
//!
//! A key signs for [`SIGNING_KEY_DAYS`] and verifies until the last token that it signed has ended. Whoever meets a key that it does not know reads the ring anew.

use std::sync::PoisonError;

use talaria_core::limits::SIGNING_KEY_DAYS;
use talaria_port::{Refusal, StoreError};

use crate::service::{broken, told};
use crate::token::{self, Claims, Opened, Ring};
use crate::{Accounts, Secret};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What clocks of two nodes may differ by when one takes a key away under which the other has just signed.
const CLOCKS_DIFFER_MS_MAX: u64 = DAY_MS;

impl Accounts {
    pub(crate) fn open_token(&self, token: &[u8]) -> Opened {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.open(token, self.clock.unix_ms())
    }

    /// An access token under a key that is young enough.
    pub(crate) async fn sign(&self, claims: &Claims) -> Result<Secret, Refusal> {
        if !self.is_ring_young() {
            self.turn_ring().await.map_err(told)?;
        }
        self.ring.read().unwrap_or_else(PoisonError::into_inner).sign(claims)
    }

    /// Makes a first key where there is none, or a new one where the newest has signed long enough.
    pub(crate) async fn turn_ring(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.turning.lock().await;
        self.read_ring().await?;
        if self.is_ring_young() {
            return Ok(());
        }
        let now = self.clock.unix_ms();
        // Another process may make one at the same time; both verify, and one of them signs.
        self.store.add_signing_key(&token::new_key(now).map_err(broken)?).await?;
        let lifetime_ms = u64::from(self.settings.access_token_s) * 1_000;
        let verified_ms = SIGNING_KEY_DAYS * DAY_MS + lifetime_ms + CLOCKS_DIFFER_MS_MAX;
        self.store.retire_signing_keys(now.saturating_sub(verified_ms)).await?;
        self.read_ring().await
    }

    /// Opens a token again whose key is not in the ring. One reading at a time, so that a flood of made-up keys leaves the store to others.
    pub(crate) async fn open_with_new_ring(&self, token: &[u8]) -> Result<Opened, StoreError> {
        let _one_at_a_time = self.turning.lock().await;
        if self.open_token(token) == Opened::UnknownKey {
            self.read_ring().await?;
        }
        Ok(self.open_token(token))
    }

    async fn read_ring(&self) -> Result<(), StoreError> {
        let ring = Ring::new(&self.store.signing_keys().await?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// A key from the future, made before a clock stepped back, is as good as new.
    fn is_ring_young(&self) -> bool {
        let newest = self.ring.read().unwrap_or_else(PoisonError::into_inner).newest_unix_ms();
        newest.is_some_and(|made| self.clock.unix_ms().saturating_sub(made) < SIGNING_KEY_DAYS * DAY_MS)
    }
}

//! Who a client is: from memory where that is enough, from the store where not.

use std::sync::PoisonError;

use async_trait::async_trait;
use talaria_core::{Handle, UserId};
use talaria_port::authenticate::{Authenticate, Checked, Credentials, Identity, Revoked};
use talaria_port::{Refusal, StoreError};

use crate::Accounts;
use crate::token::{self, Claims, Opened};

/// Milliseconds between two readings of the ring for keys that are not in it, so that made-up ones cost nothing.
const RING_READ_MS_MIN: u64 = 1_000;

impl Accounts {
    /// Whose bearer token that is.
    pub async fn identify(&self, token: &[u8]) -> Result<Option<Identity>, Refusal> {
        let credentials = Credentials { name: None, token: token.into() };
        Ok(match self.check(&credentials) {
            Checked::Granted(identity) => Some(identity),
            Checked::Denied => None,
            Checked::Ask => self.authenticate(&credentials).await?,
        })
    }

    fn open_token(&self, token: &[u8]) -> Opened {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        token::open(token, &ring, self.clock.unix_ms())
    }

    async fn reload_ring(&self) -> Result<(), StoreError> {
        let now = self.clock.monotonic_ms();
        {
            let mut read = self.ring_read_ms.lock().unwrap_or_else(PoisonError::into_inner);
            if read.is_some_and(|at| now.saturating_sub(at) < RING_READ_MS_MIN) {
                return Ok(());
            }
            *read = Some(now);
        }
        let keys = self.store.signing_keys().await?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    async fn by_access_token(&self, claims: &Claims) -> Result<Option<Identity>, StoreError> {
        let revocations = self.caches().revocations;
        let Some(account) = self.store.account(claims.sub).await? else { return Ok(None) };
        let devices = self.store.devices(claims.sub).await?;
        if claims.ver != account.token_version || !devices.iter().any(|device| device.id == claims.did) {
            return Ok(None);
        }
        let mut caches = self.caches();
        if caches.revocations == revocations {
            caches.devices.insert(claims.did, (claims.sub, claims.ver));
        }
        Ok(Some(identity_of(claims)))
    }

    async fn by_device_token(&self, sha256: [u8; 32]) -> Result<Option<Identity>, StoreError> {
        let revocations = self.caches().revocations;
        let Some((account, device)) = self.store.by_token(&sha256).await? else { return Ok(None) };
        let identity = Identity { user: account.id, device: device.id, expires_unix_ms: None };
        let mut caches = self.caches();
        if caches.revocations == revocations {
            caches.tokens.insert(sha256, identity);
        }
        Ok(Some(identity))
    }

    /// Whether the name is that user's; `None` where only the store can say.
    fn names(&self, name: Option<&str>, user: UserId) -> Option<bool> {
        let Some(name) = name else { return Some(true) };
        if !name.starts_with('@') {
            return Some(name.parse() == Ok(user));
        }
        let Ok(handle) = name.parse::<Handle>() else { return Some(false) };
        self.caches().handles.get(&handle).map(|known| *known == user)
    }

    fn forget(&self, revoked: &[Revoked]) {
        if revoked.is_empty() {
            return;
        }
        let mut caches = self.caches();
        caches.revocations += 1;
        for revoked in revoked {
            let user = match *revoked {
                Revoked::User(user) | Revoked::Device(user, _) => user,
            };
            caches.devices.retain(|(of, _)| *of != user);
            caches.tokens.retain(|identity| identity.user != user);
        }
    }
}

#[async_trait]
impl Authenticate for Accounts {
    fn check(&self, credentials: &Credentials) -> Checked {
        let known = match self.open_token(&credentials.token) {
            Opened::Worthless => return Checked::Denied,
            Opened::UnknownKey => return Checked::Ask,
            Opened::Device(sha256) => self.caches().tokens.get(&sha256).copied(),
            Opened::Access(claims) => {
                let is_live = self.caches().devices.get(&claims.did) == Some(&(claims.sub, claims.ver));
                is_live.then(|| identity_of(&claims))
            }
        };
        let Some(identity) = known else { return Checked::Ask };
        match self.names(credentials.name.as_deref(), identity.user) {
            Some(true) => Checked::Granted(identity),
            Some(false) => Checked::Denied,
            None => Checked::Ask,
        }
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<Option<Identity>, StoreError> {
        let mut opened = self.open_token(&credentials.token);
        if matches!(opened, Opened::UnknownKey) {
            self.reload_ring().await?;
            opened = self.open_token(&credentials.token);
        }
        let found = match opened {
            Opened::Access(claims) => self.by_access_token(&claims).await?,
            Opened::Device(sha256) => self.by_device_token(sha256).await?,
            Opened::UnknownKey | Opened::Worthless => None,
        };
        let Some(identity) = found else { return Ok(None) };
        let name = credentials.name.as_deref();
        let is_theirs = match self.names(name, identity.user) {
            Some(answer) => answer,
            None => match name.and_then(|name| name.parse::<Handle>().ok()) {
                Some(handle) => self.user_of(&handle).await? == Some(identity.user),
                None => false,
            },
        };
        Ok(is_theirs.then_some(identity))
    }

    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError> {
        let (revoked, last) = self.store.revoked(after).await?;
        self.forget(&revoked);
        Ok((revoked, last))
    }
}

fn identity_of(claims: &Claims) -> Identity {
    Identity { user: claims.sub, device: claims.did, expires_unix_ms: Some(claims.exp.saturating_mul(1000)) }
}

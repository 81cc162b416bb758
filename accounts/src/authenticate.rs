//! Who a client is: from memory where that is enough, from the store where not.

use std::collections::HashSet;

use async_trait::async_trait;
use talaria_core::limits::{REVOCATIONS_PAGE_MAX, REVOCATIONS_PAGES_MAX, REVOCATIONS_STALE_MS};
use talaria_core::{Handle, UserId};
use talaria_port::authenticate::{Authenticate, Checked, Credentials, Identity, Revoked};
use talaria_port::{Refusal, StoreError};

use crate::Accounts;
use crate::service::{Caches, told};
use crate::token::{Claims, Opened};

impl Accounts {
    /// Whose bearer token that is.
    pub async fn identify(&self, token: &[u8]) -> Result<Option<Identity>, Refusal> {
        let credentials = Credentials { name: None, token: token.into() };
        match self.check(&credentials) {
            Checked::Granted(identity) => Ok(Some(identity)),
            Checked::Denied => Ok(None),
            Checked::Ask => self.authenticate(&credentials).await.map_err(told),
        }
    }

    async fn by_access_token(&self, claims: &Claims) -> Result<Option<Identity>, StoreError> {
        let revocations = self.caches().revocations;
        let Some((account, _)) = self.store.device(claims.did).await? else { return Ok(None) };
        if (account.id, account.token_version) != (claims.sub, claims.ver) {
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
        self.caches().handles.get(&handle).map(|known| known == user)
    }

    /// What is cached, while the log of revocations is being read; otherwise the store decides (INV-5).
    fn cached(&self, opened: Opened) -> Option<Identity> {
        let now_ms = self.clock.monotonic_ms();
        let mut caches = self.caches();
        if now_ms.saturating_sub(caches.heeded_ms) > REVOCATIONS_STALE_MS {
            return None;
        }
        match opened {
            Opened::Device(sha256) => caches.tokens.get(&sha256),
            Opened::Access(claims) => {
                let is_live = caches.devices.get(&claims.did) == Some((claims.sub, claims.ver));
                is_live.then(|| identity_of(&claims))
            }
            Opened::UnknownKey | Opened::Worthless => None,
        }
    }
}

#[async_trait]
impl Authenticate for Accounts {
    fn check(&self, credentials: &Credentials) -> Checked {
        let opened = self.open_token(&credentials.token);
        if opened == Opened::Worthless {
            return Checked::Denied;
        }
        let Some(identity) = self.cached(opened) else { return Checked::Ask };
        match self.names(credentials.name.as_deref(), identity.user) {
            Some(true) => Checked::Granted(identity),
            Some(false) => Checked::Denied,
            None => Checked::Ask,
        }
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<Option<Identity>, StoreError> {
        let mut opened = self.open_token(&credentials.token);
        if opened == Opened::UnknownKey {
            opened = self.open_with_new_ring(&credentials.token).await?;
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
        let now_ms = self.clock.monotonic_ms();
        let after = after.max(self.opened_upto);
        let heeded_upto = self.caches().heeded_upto;
        let read = self.read_log(after).await?;
        if after <= heeded_upto {
            self.caches().heed(&read, now_ms);
        } else {
            // The caller is ahead of the caches, which must not skip what it has read.
            let missed = self.read_log(heeded_upto).await?;
            self.caches().heed(&missed, now_ms);
        }
        Ok((read.revoked, read.last))
    }
}

/// What the log of revocations holds after a number.
struct Log {
    revoked: Vec<Revoked>,
    last: u64,
    /// Nothing followed when it was read.
    is_whole: bool,
}

impl Accounts {
    async fn read_log(&self, after: u64) -> Result<Log, StoreError> {
        let mut log = Log { revoked: Vec::new(), last: after, is_whole: false };
        for _ in 0..REVOCATIONS_PAGES_MAX {
            let (page, last) = self.store.revoked(log.last).await?;
            log.is_whole = page.len() < REVOCATIONS_PAGE_MAX;
            log.last = last;
            log.revoked.extend(page);
            if log.is_whole {
                break;
            }
        }
        Ok(log)
    }
}

impl Caches {
    /// Forgets whom revocations concern, which follow those heeded so far. `now_ms`: from before they were read.
    fn heed(&mut self, Log { revoked, last, is_whole }: &Log, now_ms: u64) {
        if *is_whole {
            self.heeded_ms = self.heeded_ms.max(now_ms);
        }
        self.heeded_upto = self.heeded_upto.max(*last);
        if revoked.is_empty() {
            return;
        }
        self.revocations += 1;
        let user_of = |revoked: &Revoked| match *revoked {
            Revoked::User(user) | Revoked::Device(user, _) => user,
        };
        let users: HashSet<UserId> = revoked.iter().map(user_of).collect();
        self.devices.retain(|(user, _)| !users.contains(user));
        self.tokens.retain(|identity| !users.contains(&identity.user));
    }
}

fn identity_of(claims: &Claims) -> Identity {
    Identity { user: claims.sub, device: claims.did, expires_unix_ms: Some(claims.exp.saturating_mul(1000)) }
}

//! The service: sign-up, log-in, devices and who is who.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use talaria_core::{Code, DeviceId, Handle, UserId};
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, SigningKey};
use talaria_port::authenticate::Identity;
use talaria_port::clock::Clock;
use talaria_port::ids::Ids;
use talaria_port::{Refusal, StoreError, StoreErrorKind};

use crate::bounded::Bounded;
use crate::password::Passwords;
use crate::{fields, token};

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seconds that an access token is good for; 3,600 by default.
    pub access_token_s: u32,
    /// Passwords hashed at once, each with 19 MiB; more wait. 2 by default.
    pub hashes_at_once_max: usize,
    /// Entries of each cache (devices, device tokens, handles); 100,000 by default. Beyond: one is forgotten and looked up again.
    pub cache_entries_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { access_token_s: 3_600, hashes_at_once_max: 2, cache_entries_max: 100_000 }
    }
}

/// A log-in that worked.
#[derive(Clone)]
pub struct LoggedIn {
    /// The access token; never logged.
    pub access_token: String,
    /// Seconds until it ends.
    pub expires_in_s: u32,
    /// Who.
    pub account: Account,
    /// The device that was made for it.
    pub device: Device,
}

/// What is known without the store.
pub(crate) struct Caches {
    /// Devices that exist, with their user and its token version.
    pub(crate) devices: Bounded<DeviceId, (UserId, u32)>,
    pub(crate) tokens: Bounded<[u8; 32], Identity>,
    pub(crate) handles: Bounded<Handle, UserId>,
    /// Raised by every revocation: what was read from the store before it is not entered after it.
    pub(crate) revocations: u64,
}

/// Accounts and their credentials. Shared as an `Arc`.
pub struct Accounts {
    pub(crate) store: Arc<dyn AccountStore>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) passwords: Passwords,
    pub(crate) ring: RwLock<Vec<SigningKey>>,
    pub(crate) ring_read_ms: Mutex<Option<u64>>,
    caches: Mutex<Caches>,
}

impl Accounts {
    /// Reads the ring of signing keys and makes a first key where there is none.
    pub async fn open(
        store: Arc<dyn AccountStore>,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Arc<Self>, StoreError> {
        let broken = |refusal: Refusal| StoreError::new(StoreErrorKind::Unavailable, "open accounts").because(refusal);
        let mut ring = store.signing_keys().await?;
        if ring.is_empty() {
            store.add_signing_key(&new_key(clock.unix_ms()).map_err(broken)?).await?;
            // Another process may have made one at the same time; both verify.
            ring = store.signing_keys().await?;
        }
        let max = settings.cache_entries_max;
        let caches = Caches {
            devices: Bounded::new(max),
            tokens: Bounded::new(max),
            handles: Bounded::new(max),
            revocations: 0,
        };
        let passwords = Passwords::new(settings.hashes_at_once_max).await.map_err(broken)?;
        let (ring, caches) = (RwLock::new(ring), Mutex::new(caches));
        Ok(Arc::new(Self { store, ids, clock, settings, passwords, ring, ring_read_ms: Mutex::new(None), caches }))
    }

    /// Makes an account. A taken handle is [`Code::HandleTaken`].
    pub async fn sign_up(&self, handle: &str, password: &str, name: &str) -> Result<Account, Refusal> {
        let handle = fields::handle(handle)?;
        fields::password(password)?;
        fields::name(name)?;
        let password_hash = Some(self.passwords.hash(password).await?);
        let account = self.new_account(handle, name)?;
        let new = NewAccount { account, password_hash, device: None };
        if !self.store.create(std::slice::from_ref(&new)).await?.is_empty() {
            return Err(Code::HandleTaken.into());
        }
        Ok(new.account)
    }

    /// Makes a device and an access token. An unknown handle and a wrong password take the same work and get the same answer.
    pub async fn log_in(&self, handle: &str, password: &str, device: &str) -> Result<LoggedIn, Refusal> {
        fields::device(device)?;
        let found = match handle.parse::<Handle>() {
            Ok(handle) => self.store.by_handle(&handle).await?,
            Err(_) => None,
        };
        // A password too long for any account is no reason to hash it.
        let given = if fields::password(password).is_ok() { password } else { "" };
        let (account, hash) = found.map_or((None, None), |(account, hash)| (Some(account), hash));
        let fits = self.passwords.verify(given, hash).await? && !given.is_empty();
        let account = account.filter(|_| fits).ok_or_else(|| Refusal::from(Code::NotAuthenticated))?;
        let device = self.new_device(account.id, device)?;
        self.store.add_device(&device, None).await?;
        let access_token = self.access_token(&account, &device)?;
        Ok(LoggedIn { access_token, expires_in_s: self.settings.access_token_s, account, device })
    }

    /// Makes a device with a device token, which is shown this once.
    pub async fn add_device_token(&self, user: UserId, device: &str) -> Result<(String, Device), Refusal> {
        fields::device(device)?;
        if self.store.account(user).await?.is_none() {
            return Err(Code::UnknownUser.into());
        }
        let device = self.new_device(user, device)?;
        let (token, kept) = token::device_token()?;
        self.store.add_device(&device, Some(kept)).await?;
        Ok((token, device))
    }

    /// An account by id.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, Refusal> {
        Ok(self.store.account(user).await?)
    }

    /// Accounts by id; those that do not exist are left out.
    pub async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Refusal> {
        Ok(self.store.accounts(users).await?)
    }

    /// The existing user of an id or `@handle`.
    pub async fn resolve(&self, name: &str) -> Result<Option<UserId>, Refusal> {
        if name.starts_with('@') {
            let Ok(handle) = name.parse::<Handle>() else { return Ok(None) };
            return Ok(self.user_of(&handle).await?);
        }
        let Ok(user) = name.parse::<UserId>() else { return Ok(None) };
        Ok(self.store.account(user).await?.map(|account| account.id))
    }

    pub(crate) async fn user_of(&self, handle: &Handle) -> Result<Option<UserId>, StoreError> {
        if let Some(user) = self.caches().handles.get(handle) {
            return Ok(Some(*user));
        }
        let found = self.store.by_handle(handle).await?.map(|(account, _)| account.id);
        if let Some(user) = found {
            self.caches().handles.insert(handle.clone(), user);
        }
        Ok(found)
    }

    pub(crate) fn new_account(&self, handle: Handle, name: &str) -> Result<Account, Refusal> {
        let id = UserId::new(self.ids.draw()?).ok_or_else(|| Refusal::from(Code::Internal))?;
        Ok(Account { id, handle, name: name.into(), created_unix_ms: self.clock.unix_ms(), token_version: 0 })
    }

    pub(crate) fn new_device(&self, user: UserId, name: &str) -> Result<Device, Refusal> {
        let id = DeviceId::new(self.ids.draw()?).ok_or_else(|| Refusal::from(Code::Internal))?;
        Ok(Device { id, user, name: name.into(), created_unix_ms: self.clock.unix_ms() })
    }

    fn access_token(&self, account: &Account, device: &Device) -> Result<String, Refusal> {
        let iat = self.clock.unix_ms() / 1000;
        let exp = iat + u64::from(self.settings.access_token_s);
        let claims = token::Claims { sub: account.id, did: device.id, iat, exp, ver: account.token_version };
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        token::sign(ring.first().ok_or_else(|| Refusal::from(Code::Internal))?, &claims)
    }

    pub(crate) fn caches(&self) -> MutexGuard<'_, Caches> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_key(created_unix_ms: u64) -> Result<SigningKey, Refusal> {
    let id = token::hex(&token::random()?).split_at(16).0.to_owned();
    Ok(SigningKey { id, secret: token::random()?, created_unix_ms })
}

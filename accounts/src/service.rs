//! The service: sign-up, log-in, devices and who is who.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use talaria_core::{Code, DeviceId, Handle, UserId};
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, PasswordHash};
use talaria_port::authenticate::Identity;
use talaria_port::clock::Clock;
use talaria_port::devices::DeviceStore;
use talaria_port::ids::Ids;
use talaria_port::signing_keys::SigningKeyStore;
use talaria_port::{Refusal, Retry, StoreError, StoreErrorKind};

use crate::attempts::Attempts;
use crate::cache::Cache;
use crate::password::{self, Passwords};
use crate::token::{Claims, Ring};
use crate::{Secret, fields, token};

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
    pub access_token: Secret,
    /// Seconds until it ends.
    pub expires_in_s: u32,
    /// Who.
    pub account: Account,
    /// The device that was made for it.
    pub device: Device,
}

/// What accounts are kept in.
pub trait Store: AccountStore + DeviceStore + SigningKeyStore {}

impl<S: AccountStore + DeviceStore + SigningKeyStore> Store for S {}

/// What is known without the store.
pub(crate) struct Caches {
    /// Devices that exist, with their user and its token version.
    pub(crate) devices: Cache<DeviceId, (UserId, u32)>,
    pub(crate) tokens: Cache<[u8; 32], Identity>,
    /// Handles stay with their users for ever.
    pub(crate) handles: Cache<Handle, UserId>,
    /// Raised by every revocation: what was read from the store before it is not entered after it.
    pub(crate) revocations: u64,
    /// The number of the last revocation that was heeded.
    pub(crate) heeded_upto: u64,
    /// When the log was last read to its end, by the monotonic clock.
    pub(crate) heeded_ms: u64,
}

/// Accounts and their credentials. Shared as an `Arc`.
pub struct Accounts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) passwords: Passwords,
    pub(crate) ring: RwLock<Ring>,
    pub(crate) turning: tokio::sync::Mutex<()>,
    /// The last revocation before this process: it concerns nobody here.
    pub(crate) opened_upto: u64,
    caches: Mutex<Caches>,
    attempts: Mutex<Attempts>,
}

impl Accounts {
    /// Reads the ring of signing keys and makes a first key where there is none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(
        store: Arc<dyn Store>,
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Arc<Self>, StoreError> {
        let max = settings.cache_entries_max;
        let heeded_ms = clock.monotonic_ms();
        let opened_upto = store.last_revocation().await?;
        let caches = Caches {
            devices: Cache::new(max),
            tokens: Cache::new(max),
            handles: Cache::new(max),
            revocations: 0,
            heeded_upto: opened_upto,
            heeded_ms,
        };
        let accounts = Arc::new(Self {
            passwords: Passwords::new(settings.hashes_at_once_max).await.map_err(broken)?,
            store,
            ids,
            clock,
            settings,
            ring: RwLock::default(),
            turning: tokio::sync::Mutex::default(),
            opened_upto,
            caches: Mutex::new(caches),
            attempts: Mutex::new(Attempts::new()),
        });
        accounts.turn_ring().await?;
        Ok(accounts)
    }

    /// Makes an account. A taken handle is [`Code::HandleTaken`].
    pub async fn sign_up(&self, handle: &str, password: &str, name: &str) -> Result<Account, Refusal> {
        let handle = fields::handle(handle)?;
        fields::password(password)?;
        fields::name(name)?;
        if self.user_of(&handle).await.map_err(told)?.is_some() {
            return Err(Code::HandleTaken.into());
        }
        let password = Some(self.passwords.hash(password).await?);
        let new = NewAccount { account: self.new_account(handle, name)?, password, device: None };
        if !self.store.create(std::slice::from_ref(&new)).await.map_err(told)?.is_empty() {
            return Err(Code::HandleTaken.into());
        }
        Ok(new.account)
    }

    /// Makes a device and an access token. An unknown handle and a wrong password take the same work and get the same answer.
    pub async fn log_in(&self, handle: &str, password: &str, device: &str) -> Result<LoggedIn, Refusal> {
        fields::device(device)?;
        let account = self.by_password(handle, password).await?;
        let device = self.new_device(account.id, device)?;
        self.keep_device(&device, None).await?;
        let iat = self.clock.unix_ms() / 1000;
        let exp = iat + u64::from(self.settings.access_token_s);
        let claims = Claims { sub: account.id, did: device.id, iat, exp, ver: account.token_version };
        let access_token = self.sign(&claims).await?;
        Ok(LoggedIn { access_token, expires_in_s: self.settings.access_token_s, account, device })
    }

    /// Makes a device with a device token, which is shown this once.
    pub async fn add_device_token(&self, user: UserId, device: &str) -> Result<(Secret, Device), Refusal> {
        fields::device(device)?;
        if self.store.account(user).await.map_err(told)?.is_none() {
            return Err(Code::UnknownUser.into());
        }
        let device = self.new_device(user, device)?;
        let (token, kept) = token::device_token()?;
        self.keep_device(&device, Some(kept)).await?;
        Ok((token, device))
    }

    /// An account by id.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, Refusal> {
        self.store.account(user).await.map_err(told)
    }

    /// Accounts by id: each once, ascending; those that do not exist are left out.
    pub async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Refusal> {
        self.store.accounts(users).await.map_err(told)
    }

    /// The existing user of an id or `@handle`.
    pub async fn resolve(&self, name: &str) -> Result<Option<UserId>, Refusal> {
        if name.starts_with('@') {
            let Ok(handle) = name.parse::<Handle>() else { return Ok(None) };
            return self.user_of(&handle).await.map_err(told);
        }
        let Ok(user) = name.parse::<UserId>() else { return Ok(None) };
        Ok(self.account(user).await?.map(|account| account.id))
    }

    pub(crate) async fn user_of(&self, handle: &Handle) -> Result<Option<UserId>, StoreError> {
        if let Some(user) = self.caches().handles.get(handle) {
            return Ok(Some(user));
        }
        let found = self.store.by_handle(handle).await?.map(|(account, _)| account.id);
        if let Some(user) = found {
            self.caches().handles.insert(handle.clone(), user);
        }
        Ok(found)
    }

    pub(crate) fn new_account(&self, handle: Handle, name: &str) -> Result<Account, Refusal> {
        let id = UserId::new(self.ids.draw().map_err(told)?).ok_or(Code::Internal)?;
        Ok(Account { id, handle, name: name.into(), created_unix_ms: self.clock.unix_ms(), token_version: 0 })
    }

    pub(crate) fn new_device(&self, user: UserId, name: &str) -> Result<Device, Refusal> {
        let id = DeviceId::new(self.ids.draw().map_err(told)?).ok_or(Code::Internal)?;
        Ok(Device { id, user, name: name.into(), created_unix_ms: self.clock.unix_ms() })
    }

    async fn keep_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<(), Refusal> {
        if self.store.add_device(device, token_sha256).await.map_err(told)? {
            return Ok(());
        }
        Err(Code::TooManyDevices.into())
    }

    /// Whose password that is. What cannot be a handle or a password is refused without a hash: that it is none, everybody can see.
    async fn by_password(&self, handle: &str, password: &str) -> Result<Account, Refusal> {
        let Ok(handle) = handle.parse::<Handle>() else { return Err(Code::NotAuthenticated.into()) };
        if fields::password(password).is_err() {
            return Err(Code::NotAuthenticated.into());
        }
        if self.attempts().are_barred(&handle, self.clock.monotonic_ms()) {
            return Err(Code::RateLimited.into());
        }
        let found = self.store.by_handle(&handle).await.map_err(told)?;
        let hash = found.as_ref().and_then(|(_, hash)| hash.as_ref());
        let fits = self.passwords.verify(password, hash).await?;
        let Some((account, Some(hash))) = found.filter(|_| fits) else {
            self.attempts().failed(&handle, self.clock.monotonic_ms());
            return Err(Code::NotAuthenticated.into());
        };
        self.attempts().succeeded(&handle);
        self.bring_up_to_date(&account, &hash, password).await;
        Ok(account)
    }

    /// A hash that was imported with other costs is replaced, so that it takes the time of everybody's from the first log-in on. Another time will do.
    async fn bring_up_to_date(&self, account: &Account, hash: &PasswordHash, password: &str) {
        if password::is_current(hash) {
            return;
        }
        let Ok(current) = self.passwords.hash(password).await else { return };
        if let Err(error) = self.store.replace_password(account.id, hash, &current).await {
            tracing::warn!(user = %account.id, %error, "an imported hash could not be replaced");
        }
    }

    pub(crate) fn caches(&self) -> MutexGuard<'_, Caches> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store's trouble as the client is told; the log has the cause.
pub(crate) fn told(error: StoreError) -> Refusal {
    match error.retry() {
        Retry::Later => tracing::warn!(%error, "the relational store failed"),
        Retry::Never => tracing::error!(%error, "the relational store failed"),
    }
    error.into()
}

pub(crate) fn broken(refusal: Refusal) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "open accounts").because(refusal)
}

//! What the API asks of accounts. Whoever keeps them implements it; the server says who.

use async_trait::async_trait;
use talaria_core::UserId;
use talaria_port::Refusal;
use talaria_port::accounts::{Account, Device};
use talaria_port::authenticate::Identity;

/// A successful log-in.
pub struct LoggedIn {
    /// The JWT. Never logged.
    pub access_token: String,
    /// Seconds until it ends.
    pub expires_in_s: u64,
    /// Whose.
    pub account: Account,
    /// What it was issued for.
    pub device: Device,
}

/// Accounts, credentials and tokens. Passwords are hashed off the caller's thread, and only so many at once.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account; refuses a taken or malformed handle and a password outside its bounds.
    async fn sign_up(&self, handle: &str, password: &str, name: &str) -> Result<Account, Refusal>;

    /// Trades a password for an access token; a wrong handle and a wrong password are refused alike.
    async fn log_in(&self, handle: &str, password: &str, device: &str) -> Result<LoggedIn, Refusal>;

    /// Makes a device with a token, which is known in clear only here.
    async fn add_device_token(&self, user: UserId, device: &str) -> Result<(String, Device), Refusal>;

    /// An account by id.
    async fn account(&self, user: UserId) -> Result<Option<Account>, Refusal>;

    /// Accounts by id; those that do not exist are left out.
    async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Refusal>;

    /// The user of an id or an `@handle`, where there is one.
    async fn resolve(&self, text: &str) -> Result<Option<UserId>, Refusal>;

    /// Whose token it is; `None` where it is not valid now.
    async fn identify(&self, token: &[u8]) -> Result<Option<Identity>, Refusal>;
}

/// The accounts of this workspace; the inherent methods do the work.
#[async_trait]
impl Accounts for talaria_accounts::Accounts {
    async fn sign_up(&self, handle: &str, password: &str, name: &str) -> Result<Account, Refusal> {
        Self::sign_up(self, handle, password, name).await
    }

    async fn log_in(&self, handle: &str, password: &str, device: &str) -> Result<LoggedIn, Refusal> {
        let talaria_accounts::LoggedIn { access_token, expires_in_s, account, device } =
            Self::log_in(self, handle, password, device).await?;
        let access_token = access_token.reveal().to_owned();
        Ok(LoggedIn { access_token, expires_in_s: expires_in_s.into(), account, device })
    }

    async fn add_device_token(&self, user: UserId, device: &str) -> Result<(String, Device), Refusal> {
        let (token, device) = Self::add_device_token(self, user, device).await?;
        Ok((token.reveal().to_owned(), device))
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, Refusal> {
        Self::account(self, user).await
    }

    async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Refusal> {
        Self::accounts(self, users).await
    }

    async fn resolve(&self, text: &str) -> Result<Option<UserId>, Refusal> {
        Self::resolve(self, text).await
    }

    async fn identify(&self, token: &[u8]) -> Result<Option<Identity>, Refusal> {
        Self::identify(self, token).await
    }
}

//! Passwords: argon2id, off the runtime and at most a few at a time, so that a flood of log-ins cannot take the memory.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use talaria_core::Code;
use talaria_port::Refusal;
use tokio::sync::Semaphore;

use crate::token;

pub(crate) struct Passwords {
    permits: std::sync::Arc<Semaphore>,
    /// What an unknown user's password is held against, so that both answers take the same work.
    decoy: String,
}

impl Passwords {
    pub(crate) async fn new(concurrent_max: usize) -> Result<Self, Refusal> {
        let permits = std::sync::Arc::new(Semaphore::new(concurrent_max.max(1)));
        let this = Self { permits, decoy: String::new() };
        let decoy = this.hash("no password").await?;
        Ok(Self { decoy, ..this })
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, Refusal> {
        let (password, random) = (password.to_owned(), token::random()?);
        self.run(move || {
            let salt = SaltString::encode_b64(random.get(..16)?).ok()?;
            Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).ok()
        })
        .await?
        .ok_or_else(|| Code::Internal.into())
    }

    /// Whether the password fits; with no hash it is compared all the same and does not.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or_else(|| self.decoy.clone()));
        let fits = self
            .run(move || {
                PasswordHash::new(&hash)
                    .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(fits && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        // The permit goes with the work: a caller that is dropped must not let another begin while the work goes on.
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| Refusal::from(Code::Unavailable))?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|_| Code::Internal.into())
    }
}

/// Whether an imported text is an argon2id hash with costs that a log-in can bear.
pub(crate) fn is_hash(text: &str) -> bool {
    let Ok(hash) = PasswordHash::new(text) else { return false };
    let Ok(params) = argon2::Params::try_from(&hash) else { return false };
    hash.algorithm.as_str() == "argon2id"
        && hash.hash.is_some()
        && params.m_cost() <= 256 * 1024
        && params.t_cost() <= 16
        && params.p_cost() <= 16
}

//! Many passwords hashed beside each other.

use std::sync::Arc;

use talaria_core::Code;
use talaria_port::Refusal;
use talaria_port::accounts::PasswordHash;
use tokio::task::JoinHandle;

use crate::Accounts;

/// Passwords of a batch, each with its place there; as many at once as the settings allow.
pub(crate) struct Hashing {
    accounts: Arc<Accounts>,
    running: Vec<(usize, JoinHandle<Result<PasswordHash, Refusal>>)>,
    done: Vec<(usize, Result<PasswordHash, Refusal>)>,
}

impl Hashing {
    pub(crate) fn new(accounts: &Arc<Accounts>) -> Self {
        Self { accounts: Arc::clone(accounts), running: Vec::new(), done: Vec::new() }
    }

    /// Begins one; waits for the oldest where enough are running.
    pub(crate) async fn add(&mut self, place: usize, password: String) {
        if self.running.len() >= self.accounts.settings.hashes_at_once_max.max(1) {
            self.take_oldest().await;
        }
        let accounts = Arc::clone(&self.accounts);
        self.running.push((place, tokio::spawn(async move { accounts.passwords.hash(&password).await })));
    }

    /// All of them, in the order of their places.
    pub(crate) async fn finish(mut self) -> Vec<(usize, Result<PasswordHash, Refusal>)> {
        while !self.running.is_empty() {
            self.take_oldest().await;
        }
        self.done
    }

    async fn take_oldest(&mut self) {
        let (place, oldest) = self.running.remove(0);
        let hash = oldest.await.unwrap_or_else(|_| Err(Code::Internal.into()));
        self.done.push((place, hash));
    }
}

//! Accounts in memory, with the rules that the API shows: what is taken, wrong or unknown.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use talaria_api::{Accounts, LoggedIn};
use talaria_core::{Code, DeviceId, UserId};
use talaria_port::Refusal;
use talaria_port::accounts::{Account, Device};
use talaria_port::authenticate::Identity;

/// No accounts yet.
pub(crate) fn fresh() -> Arc<dyn Accounts> {
    Arc::new(MemoryAccounts::default())
}

#[derive(Default)]
struct MemoryAccounts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: Vec<(Account, String)>,
    devices: Vec<(String, Device)>,
}

impl State {
    fn add_device(&mut self, prefix: &str, user: UserId, name: &str) -> (String, Device) {
        let number = self.devices.len() as u64 + 1;
        let device = Device { id: DeviceId::new(number).unwrap(), user, name: name.to_owned(), created_unix_ms: 1 };
        self.devices.push((format!("{prefix}{number}"), device.clone()));
        (format!("{prefix}{number}"), device)
    }

    fn find(&self, is_it: impl Fn(&Account) -> bool) -> Option<&Account> {
        self.accounts.iter().map(|(account, _)| account).find(|account| is_it(account))
    }
}

#[async_trait]
impl Accounts for MemoryAccounts {
    async fn sign_up(&self, handle: &str, password: &str, name: &str) -> Result<Account, Refusal> {
        let mut state = self.state.lock().unwrap();
        let handle = handle.parse().map_err(|_| Code::HandleInvalid)?;
        if state.find(|account| account.handle == handle).is_some() {
            return Err(Code::HandleTaken.into());
        }
        let id = UserId::new(state.accounts.len() as u64 + 1).unwrap();
        let account = Account { id, handle, name: name.to_owned(), created_unix_ms: 1, token_version: 1 };
        state.accounts.push((account.clone(), password.to_owned()));
        Ok(account)
    }

    async fn log_in(&self, handle: &str, password: &str, device: &str) -> Result<LoggedIn, Refusal> {
        let mut state = self.state.lock().unwrap();
        let found =
            state.accounts.iter().find(|(account, right)| account.handle.to_string() == handle && right == password);
        let account = found.ok_or(Code::NotAuthenticated)?.0.clone();
        let (access_token, device) = state.add_device("jwt_", account.id, device);
        Ok(LoggedIn { access_token, expires_in_s: 60, account, device })
    }

    async fn add_device_token(&self, user: UserId, device: &str) -> Result<(String, Device), Refusal> {
        Ok(self.state.lock().unwrap().add_device("tld_", user, device))
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, Refusal> {
        Ok(self.state.lock().unwrap().find(|account| account.id == user).cloned())
    }

    async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Refusal> {
        let state = self.state.lock().unwrap();
        Ok(users.iter().filter_map(|user| state.find(|account| account.id == *user).cloned()).collect())
    }

    async fn resolve(&self, text: &str) -> Result<Option<UserId>, Refusal> {
        let state = self.state.lock().unwrap();
        let found = state.find(|account| account.id.to_string() == text || account.handle.to_string() == text);
        Ok(found.map(|account| account.id))
    }

    async fn identify(&self, token: &[u8]) -> Result<Option<Identity>, Refusal> {
        let state = self.state.lock().unwrap();
        let found = state.devices.iter().find(|(known, _)| known.as_bytes() == token);
        Ok(found.map(|(_, device)| Identity { user: device.user, device: device.id, expires_unix_ms: None }))
    }
}

//! Who a client is: a token that is the user's id, sometimes known at once and sometimes asked for; and revocations.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use talaria_core::{DeviceId, UserId};
use talaria_port::StoreError;
use talaria_port::authenticate::{Authenticate, Checked, Credentials, Identity, Revoked};

use crate::dice::Dice;

/// Lets in whoever shows an id; the log of revocations outlives crashes.
#[derive(Clone)]
pub(crate) struct Doorman(Arc<Mutex<State>>);

struct State {
    dice: Dice,
    revoked: Vec<Revoked>,
}

impl Doorman {
    pub(crate) fn new(dice: Dice) -> Self {
        Self(Arc::new(Mutex::new(State { dice, revoked: Vec::new() })))
    }

    /// Ends every session of the user; they may come again.
    pub(crate) fn revoke(&self, user: UserId) {
        self.0.lock().unwrap().revoked.push(Revoked::User(user));
    }
}

fn identity(credentials: &Credentials) -> Option<Identity> {
    let user = std::str::from_utf8(&credentials.token).ok()?.parse().ok()?;
    Some(Identity { user, device: DeviceId::new(1)?, expires_unix_ms: None })
}

#[async_trait]
impl Authenticate for Doorman {
    fn check(&self, credentials: &Credentials) -> Checked {
        if self.0.lock().unwrap().dice.one_in(3) {
            return Checked::Ask;
        }
        identity(credentials).map_or(Checked::Denied, Checked::Granted)
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<Option<Identity>, StoreError> {
        Ok(identity(credentials))
    }

    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError> {
        let state = self.0.lock().unwrap();
        let revoked: Vec<_> = state.revoked.iter().skip(after as usize).copied().collect();
        Ok((revoked, state.revoked.len() as u64))
    }
}

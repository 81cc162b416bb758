//! Many accounts at once, from JSON lines.

use std::io;

use serde::Deserialize;
use talaria_core::Code;
use talaria_port::Refusal;
use talaria_port::accounts::{Account, NewAccount};

use crate::{Accounts, fields, password, token};

/// Accounts of one transaction: one sync of the disk for all of them.
const BATCH: usize = 1_000;

/// A line of an import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportLine {
    /// `@` and the handle.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// Hashed here, which takes its time.
    pub password: Option<String>,
    /// An argon2id hash in PHC form.
    pub password_hash: Option<String>,
}

/// Why an import stopped. What was reported as made stays made.
#[derive(Debug)]
pub struct ImportError {
    /// The line, from 1.
    pub line: usize,
    /// What was wrong with it.
    pub refusal: Refusal,
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.refusal)
    }
}

impl std::error::Error for ImportError {}

type Made = (usize, NewAccount, String);

impl Accounts {
    /// Makes an account with a device token for each line; blank ones are passed over. `on_made` gets each account with its
    /// token once it is durable. Returns how many; stops at the first bad line, with the batches before it made.
    pub async fn import(
        &self,
        lines: impl Iterator<Item = io::Result<String>>,
        mut on_made: impl FnMut(&Account, &str),
    ) -> Result<usize, ImportError> {
        let (mut batch, mut made) = (Vec::with_capacity(BATCH), 0);
        for (at, line) in lines.enumerate() {
            let fail = |refusal| ImportError { line: at + 1, refusal };
            let line =
                line.map_err(|_| fail(Refusal::new(Code::RequestInvalid, "the line cannot be read as UTF-8")))?;
            if line.trim().is_empty() {
                continue;
            }
            batch.push(self.prepare(at + 1, &line).await.map_err(fail)?);
            if batch.len() == BATCH {
                made += self.write(&mut batch, &mut on_made).await?;
            }
        }
        Ok(made + self.write(&mut batch, &mut on_made).await?)
    }

    async fn prepare(&self, at: usize, line: &str) -> Result<Made, Refusal> {
        // The parser's message could repeat a password; its column is enough.
        let line: ImportLine = serde_json::from_str(line).map_err(|error| {
            Refusal::new(
                Code::RequestInvalid,
                format!("not an object of handle, name, password, password_hash (column {})", error.column()),
            )
        })?;
        let handle = fields::handle(&line.handle)?;
        fields::name(&line.name)?;
        let password_hash = match (line.password, line.password_hash) {
            (None, None) => None,
            (Some(password), None) => {
                fields::password(&password)?;
                Some(self.passwords.hash(&password).await?)
            }
            (None, Some(hash)) if password::is_hash(&hash) => Some(hash),
            (None, Some(_)) => return Err(Refusal::new(Code::PasswordInvalid, "password_hash: not an argon2id hash")),
            (Some(_), Some(_)) => {
                return Err(Refusal::new(Code::RequestInvalid, "password and password_hash: only one"));
            }
        };
        let account = self.new_account(handle, &line.name)?;
        let (token, kept) = token::device_token()?;
        let device = Some((self.new_device(account.id, "import")?, kept));
        Ok((at, NewAccount { account, password_hash, device }, token))
    }

    async fn write(
        &self,
        batch: &mut Vec<Made>,
        on_made: &mut impl FnMut(&Account, &str),
    ) -> Result<usize, ImportError> {
        let made = std::mem::take(batch);
        let Some(first) = made.first().map(|made| made.0) else { return Ok(0) };
        let accounts: Vec<_> = made.iter().map(|made| made.1.clone()).collect();
        let taken = self.store.create(&accounts).await;
        let taken = taken.map_err(|error| ImportError { line: first, refusal: error.into() })?;
        for (place, (_, new, token)) in made.iter().enumerate() {
            if !taken.contains(&place) {
                on_made(&new.account, token);
            }
        }
        match taken.first().and_then(|place| made.get(*place)) {
            Some((line, ..)) => Err(ImportError { line: *line, refusal: Code::HandleTaken.into() }),
            None => Ok(made.len()),
        }
    }
}

//! Many accounts at once, from JSON lines.

use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use serde::Deserialize;
use talaria_core::Code;
use talaria_core::limits::IMPORT_LINE_BYTES_MAX;
use talaria_port::accounts::{Account, NewAccount, PasswordHash};
use talaria_port::{Refusal, StoreError};

use crate::hashing::Hashing;
use crate::{Accounts, Secret, fields, password, token};

/// Accounts of one transaction: one sync of the disk for all of them, and others may write in between.
const BATCH: usize = 1_000;

/// Taken handles of which the line is told.
const TAKEN_LINES_MAX: usize = 10;

/// A line as it is written. Nothing here can be printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    handle: String,
    name: String,
    /// Hashed here, which takes its time.
    password: Option<String>,
    /// An argon2id hash in PHC form.
    password_hash: Option<String>,
}

/// How far an import came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// Accounts that were made.
    pub made: u64,
    /// Lines whose handle was taken already; what had it stays as it is.
    pub taken: u64,
    /// The first few of them, from 1.
    pub taken_lines: Vec<u64>,
}

/// Why an import stopped. Everything before the line is made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line is wrong.
    #[error("line {line}: {refusal}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// The lines cannot be read on.
    #[error("line {line} cannot be read")]
    Read {
        /// From 1.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The tokens of accounts that are made could not be handed on.
    #[error("the tokens cannot be written")]
    Tokens(#[source] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An account of a batch that is not made yet.
struct Planned {
    line: u64,
    new: NewAccount,
    token: Option<Secret>,
}

/// An account that is made, with its token where such were asked for.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// The account.
    pub account: &'a Account,
    /// Known in clear only here.
    pub token: Option<&'a Secret>,
}

/// Takes the accounts of a batch, once they are durable.
pub type OnMade<'a> = dyn FnMut(&[Made<'_>]) -> io::Result<()> + 'a;

impl Accounts {
    /// Makes an account for each line; blank ones are passed over, and so are those whose handle is taken, so that an import that was cut short can be
    /// run again. `with_tokens`: each gets a device with a token. `on_made` gets all accounts that are made, in the order of the lines.
    ///
    /// # Errors
    /// With how far it came. It stops at the first line that is wrong.
    pub async fn import(
        self: &Arc<Self>,
        mut lines: impl BufRead,
        with_tokens: bool,
        on_made: &mut OnMade<'_>,
    ) -> (Imported, Result<(), ImportError>) {
        let mut imported = Imported::default();
        let mut line = 0;
        loop {
            let (batch, end) = self.read_batch(&mut lines, &mut line, with_tokens).await;
            if let Err(error) = self.write_batch(batch, &mut imported, on_made).await {
                return (imported, Err(error));
            }
            match end {
                Some(Ok(())) => return (imported, Ok(())),
                Some(Err(error)) => return (imported, Err(error)),
                None => {}
            }
        }
    }

    /// Reads up to a batch. The second part says whether it is the last, and why.
    async fn read_batch(
        self: &Arc<Self>,
        lines: &mut impl BufRead,
        at: &mut u64,
        with_tokens: bool,
    ) -> (Vec<Planned>, Option<Result<(), ImportError>>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut hashing = Hashing::new(self);
        let mut end = self.ids.prepare(2 * BATCH).await.err().map(|error| Err(error.into()));
        while end.is_none() && batch.len() < BATCH {
            *at += 1;
            let line = *at;
            end = match next_line(lines) {
                Ok(None) => Some(Ok(())),
                Ok(Some(text)) if text.trim().is_empty() => None,
                Ok(Some(text)) => match self.plan(&text, line, with_tokens) {
                    Ok((planned, password)) => {
                        if let Some(password) = password {
                            hashing.add(batch.len(), password).await;
                        }
                        batch.push(planned);
                        None
                    }
                    Err(refusal) => Some(Err(ImportError::Line { line, refusal })),
                },
                Err(source) => Some(Err(ImportError::Read { line, source })),
            };
        }
        for (place, hash) in hashing.finish().await {
            match hash {
                Ok(hash) => batch[place].new.password = Some(hash),
                Err(refusal) => {
                    // Accounts without the password that they were given must not be made.
                    end = Some(Err(ImportError::Line { line: batch[place].line, refusal }));
                    batch.truncate(place);
                    break;
                }
            }
        }
        (batch, end)
    }

    /// An account without its password's hash, and the password that is to be hashed.
    fn plan(&self, text: &str, line: u64, with_tokens: bool) -> Result<(Planned, Option<String>), Refusal> {
        // The parser's message could repeat a password; its column is enough.
        let wish: Line = serde_json::from_str(text).map_err(|error| {
            let reason = "not an object of handle, name and, if wanted, password or password_hash";
            Refusal::new(Code::RequestInvalid, format!("{reason} (column {})", error.column()))
        })?;
        let handle = fields::handle(&wish.handle)?;
        fields::name(&wish.name)?;
        let hash = match (&wish.password, wish.password_hash) {
            (Some(_), Some(_)) => {
                return Err(Refusal::new(Code::RequestInvalid, "password and password_hash: only one"));
            }
            (None, Some(hash)) if !password::is_hash(&hash) => {
                return Err(Refusal::new(
                    Code::PasswordInvalid,
                    "password_hash: not an argon2id hash that can be used",
                ));
            }
            (_, hash) => hash.map(PasswordHash::new),
        };
        wish.password.as_deref().map_or(Ok(()), fields::password)?;
        let account = self.new_account(handle, &wish.name)?;
        let (device, token) = if with_tokens {
            let (token, kept) = token::device_token()?;
            (Some((self.new_device(account.id, "import")?, kept)), Some(token))
        } else {
            (None, None)
        };
        Ok((Planned { line, new: NewAccount { account, password: hash, device }, token }, wish.password))
    }

    async fn write_batch(
        &self,
        batch: Vec<Planned>,
        imported: &mut Imported,
        on_made: &mut OnMade<'_>,
    ) -> Result<(), ImportError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (new, rest): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|planned| (planned.new, (planned.line, planned.token))).unzip();
        let taken = self.store.create(&new).await?;
        imported.made += (new.len() - taken.len()) as u64;
        imported.taken += taken.len() as u64;
        let mut made = Vec::with_capacity(new.len());
        for (place, (new, (line, token))) in new.iter().zip(&rest).enumerate() {
            if taken.binary_search(&place).is_err() {
                made.push(Made { account: &new.account, token: token.as_ref() });
            } else if imported.taken_lines.len() < TAKEN_LINES_MAX {
                imported.taken_lines.push(*line);
            }
        }
        on_made(&made).map_err(ImportError::Tokens)
    }
}

/// The next line without its end, `None` behind the last.
fn next_line(lines: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    lines.by_ref().take(IMPORT_LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() > IMPORT_LINE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {IMPORT_LINE_BYTES_MAX} bytes")));
    }
    String::from_utf8(line).map(Some).map_err(|_| io::Error::other("it is not UTF-8"))
}

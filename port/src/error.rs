//! Errors of the seams: what kind, whether to try again, at what.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use talaria_core::Code;

/// Whether the same call may succeed later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// It never will.
    Never,
    /// It may, without anything else having to change.
    Later,
}

/// What went wrong in a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreErrorKind {
    /// It cannot be reached or does not answer.
    Unavailable,
    /// It has no room. Reads go on.
    Full,
    /// What it holds is damaged. Never answered with silence or a part.
    Damaged,
    /// It already has something of that name.
    Conflict,
    /// It was asked for something it cannot do; a mistake of the caller.
    Misuse,
}

/// An error of a store. No driver's type shows.
#[derive(Debug)]
pub struct StoreError {
    /// What went wrong.
    pub kind: StoreErrorKind,
    /// At which operation, for logs.
    pub operation: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a cause of its own.
    pub fn new(kind: StoreErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, source: None }
    }

    /// With the driver's error or a text as its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        match self.kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Full => Retry::Later,
            StoreErrorKind::Damaged | StoreErrorKind::Conflict | StoreErrorKind::Misuse => Retry::Never,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.operation, self.kind)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for StoreError {
    /// What is behind the cause, which is told already.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().and_then(|source| source.source())
    }
}

/// A request that is refused, as the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Its kind.
    pub code: Code,
    /// For people; names fields, never internals.
    pub reason: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a reason of its own.
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, reason: Cow::Borrowed(code.says()) }
    }
}

/// A store's trouble is told to clients without its insides.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error.retry() {
            Retry::Later => Code::Unavailable.into(),
            Retry::Never => Code::Internal.into(),
        }
    }
}

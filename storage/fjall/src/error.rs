//! The engine's errors as kinds of the port.

use std::fmt;
use std::io;
use std::path::Path;

use talaria_port::{StoreError, StoreErrorKind};

/// What a row, a file or the engine itself got wrong, before it is known at which operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Damaged(String),
    #[error("{0}")]
    Misuse(&'static str),
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Full(String),
    #[error(transparent)]
    Engine(#[from] fjall::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Failure {
    pub(crate) fn damaged(what: impl fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }

    pub(crate) fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Damaged(_) => StoreErrorKind::Damaged,
            Self::Misuse(_) => StoreErrorKind::Misuse,
            Self::Unavailable(_) => StoreErrorKind::Unavailable,
            Self::Full(_) => StoreErrorKind::Full,
            Self::Engine(error) => of_engine(error),
            Self::Io(error) => of_io(error),
        }
    }

    pub(crate) fn at(self, operation: &'static str) -> StoreError {
        StoreError::new(self.kind(), operation).because(self)
    }

    /// For a person who has to find the folder.
    pub(crate) fn in_folder(self, operation: &'static str, folder: &Path) -> StoreError {
        StoreError::new(self.kind(), operation).because(format!("{}: {self}", folder.display()))
    }
}

fn of_engine(error: &fjall::Error) -> StoreErrorKind {
    use fjall::Error as E;
    match error {
        E::Io(error) | E::Storage(fjall::LsmError::Io(error)) => of_io(error),
        E::Locked | E::Poisoned => StoreErrorKind::Unavailable,
        E::KeyspaceDeleted => StoreErrorKind::Misuse,
        // Everything else is something that the engine did not expect in its own files.
        _ => StoreErrorKind::Damaged,
    }
}

fn of_io(error: &io::Error) -> StoreErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => StoreErrorKind::Full,
        // A file of the store that is gone, too short or not what it should be. The kernel reports a bad sector as EIO,
        // which may pass; so that stays with "unavailable".
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => StoreErrorKind::Damaged,
        _ => StoreErrorKind::Unavailable,
    }
}

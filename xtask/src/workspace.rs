//! Where this workspace lies and where its builds go.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::metadata::Member;
use crate::{metadata, program};

/// The workspace that this program was started for.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder; whatever is made here lies below it.
    pub(crate) target: PathBuf,
    /// Its packages.
    pub(crate) members: Vec<Member>,
}

impl Workspace {
    /// Asks cargo, from the current folder.
    pub(crate) fn find() -> Result<Self> {
        #[derive(Deserialize)]
        struct Roots {
            workspace_root: PathBuf,
            target_directory: PathBuf,
        }
        let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let json = program::output(cargo.args(["metadata", "--no-deps", "--format-version=1"]))?;
        let roots: Roots = serde_json::from_str(&json).context("read what cargo metadata printed")?;
        let members = metadata::members(&json)?;
        Ok(Self { root: roots.workspace_root, target: roots.target_directory, members })
    }
}

//! `cargo xtask tidy`: the layout check. The rules are in [`crate::tidy`].

use std::process::ExitCode;

use anyhow::Result;

use crate::tidy::Checked;
use crate::workspace::Workspace;

/// Holds the layout: arrows between crates, licences, sizes, links.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(workspace: &Workspace, _arguments: &Arguments) -> Result<ExitCode> {
    let checked = Checked::read(workspace)?;
    let findings = checked.findings();
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("tidy: {}", checked.size());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} finding(s)", findings.len());
    Ok(ExitCode::FAILURE)
}

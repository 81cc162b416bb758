//! Runs other programs: what runs is shown, and a failure names it.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// A program started at the root of the workspace.
pub(crate) fn at_root(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&workspace.root);
    for (name, _) in std::env::vars_os() {
        // Cargo sets these for the package it runs, which is this one. Build scripts that watch them would run again whenever
        // a build from here follows one from the shell.
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo that runs this program.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    at_root(workspace, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Shows what runs, on standard error like cargo's own lines.
pub(crate) fn show(command: &Command) {
    eprintln!("$ {}", line(command));
}

/// Shows it, runs it and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let line = line(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` failed: {status}");
    Ok(())
}

/// Runs it and returns what it printed; its standard error passes through.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    command.stderr(std::process::Stdio::inherit());
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` failed: {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed what is no UTF-8"))
}

/// Whether it runs and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

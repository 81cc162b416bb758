//! The Python that tests run clients with: a venv below the target folder, made from pinned requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;
use crate::workspace::Workspace;

/// From the root.
const REQUIREMENTS: &str = "tests/requirements.txt";

/// Inside the venv: the requirements it was made from. Written last, so that a venv cut short is made anew.
const STAMP: &str = "requirements.done";

/// Whether this machine's Python makes venvs; Debian's does only with a package of its own.
pub(crate) fn can_make_venv() -> bool {
    program::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

/// The venv's Python, made first where it is missing or was made from other requirements.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let wanted =
        fs::read_to_string(workspace.root.join(REQUIREMENTS)).with_context(|| format!("read {REQUIREMENTS}"))?;
    let venv = workspace.target.join("test-python");
    let python = venv.join("bin/python");
    if !is_ready(&venv, &python, &wanted) {
        make(workspace, &venv, &python)?;
        fs::write(venv.join(STAMP), wanted).context("write the venv's stamp")?;
    }
    Ok(python)
}

fn is_ready(venv: &Path, python: &Path, wanted: &str) -> bool {
    // Run once: an upgrade of the system's Python leaves a venv that does not start.
    fs::read_to_string(venv.join(STAMP)).is_ok_and(|made| made == wanted)
        && program::succeeds(Command::new(python).args(["-c", "import sys"]))
}

fn make(workspace: &Workspace, venv: &Path, python: &Path) -> Result<()> {
    program::run(program::at_root(workspace, "python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = program::at_root(workspace, python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    program::run(&mut pip)
}

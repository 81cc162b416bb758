//! `cargo xtask bench`: Talaria and mosquitto side by side.

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{debian, program};

/// Builds the server for release and measures it beside mosquitto.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For the benchmark; `-- --help` lists them
    #[arg(last = true)]
    bench: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    debian::ensure(workspace, &[debian::MOSQUITTO])?;
    program::run(program::cargo(workspace).args(["build", "--release", "--package=talaria-server", "--bin=talaria"]))?;
    let mut bench = program::cargo(workspace);
    bench.args(["run", "--release", "--package=talaria-bench", "--"]).args(&arguments.bench);
    program::run(bench.env("PATH", env::join_paths(debian::path())?))?;
    Ok(ExitCode::SUCCESS)
}

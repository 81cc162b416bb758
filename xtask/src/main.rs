//! The one door: what people run on their machines is what CI runs.
//!
//! One file a command in `command/`; the layout check has one file a rule in `tidy/`. It must not know what the server
//! does: it builds, installs what tests need, runs and counts.

mod command;
mod debian;
mod metadata;
mod program;
mod python;
mod tidy;
mod totals;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Tests, checks, benchmarks and fuzzing of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(command::test::Arguments),
    Ci(command::ci::Arguments),
    Bench(command::bench::Arguments),
    Fuzz(command::fuzz::Arguments),
    Tidy(command::tidy::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Test(arguments) => command::test::run(&workspace, &arguments),
        Command::Ci(arguments) => command::ci::run(&workspace, &arguments),
        Command::Bench(arguments) => command::bench::run(&workspace, &arguments),
        Command::Fuzz(arguments) => command::fuzz::run(&workspace, &arguments),
        Command::Tidy(arguments) => command::tidy::run(&workspace, &arguments),
    }
}

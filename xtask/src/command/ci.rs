//! `cargo xtask ci`: everything that must hold before a change lands, cheapest first, tests last.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::command::{fuzz, test, tidy};
use crate::program;
use crate::workspace::Workspace;

/// Seconds for each fuzz target: enough for what a change breaks at once; longer runs are made by hand.
const FUZZ_S: u32 = 60;

/// Formatting, layout, lints, documentation, fuzzing and every test.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(workspace: &Workspace, _arguments: &Arguments) -> Result<ExitCode> {
    step("Cargo.lock is complete");
    program::output(program::cargo(workspace).args(["metadata", "--locked", "--format-version=1"]))?;
    step("formatting");
    for manifest in ["Cargo.toml", fuzz::MANIFEST] {
        program::run(program::cargo(workspace).args(["fmt", "--all", "--check", "--manifest-path", manifest]))?;
    }
    step("layout");
    if tidy::run(workspace, &tidy::Arguments {})? != ExitCode::SUCCESS {
        bail!("the layout check found something");
    }
    step("lints");
    lint(workspace)?;
    step("documentation");
    document(workspace)?;
    step("fuzzing");
    fuzz::run(workspace, &fuzz::Arguments::all(FUZZ_S))?;
    step("tests");
    test::run(workspace, &test::Arguments::default())
}

/// One crate's warnings do not hide another's.
fn lint(workspace: &Workspace) -> Result<()> {
    program::run(program::cargo(workspace).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-Dwarnings",
    ]))
}

/// Private items too: the links in them lead newcomers. An address may stand bare, as in the comments of settings, which are
/// shown to operators as they are.
fn document(workspace: &Workspace) -> Result<()> {
    let mut doc = program::cargo(workspace);
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--keep-going"])
        .env("RUSTDOCFLAGS", "-Dwarnings -Arustdoc::private_intra_doc_links -Arustdoc::bare_urls");
    program::run(&mut doc)
}

fn step(name: &str) {
    eprintln!("\n== {name}");
}

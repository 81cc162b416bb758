//! `cargo xtask test`: every test of the workspace, with what they need.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::totals::Totals;
use crate::workspace::Workspace;
use crate::{debian, program, python};

/// The Python that has the clients of `tests/requirements.txt`.
const PYTHON_VARIABLE: &str = "TALARIA_TEST_PYTHON";
/// The server program under test.
const SERVER_VARIABLE: &str = "TALARIA_TEST_SERVER";

/// Installs what the tests need, builds the server and runs every test.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// For cargo test, as in `-- -p talaria-broker` or `-- a_test_name`
    #[arg(last = true)]
    cargo: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    debian::ensure(workspace, &[debian::MOSQUITTO_CLIENTS, debian::FAKETIME, debian::PYTHON_VENV])?;
    let python = python::ensure(workspace)?;
    let server = build_server(workspace)?;
    let mut tests = cargo_test(workspace, &arguments.cargo);
    tests.env(PYTHON_VARIABLE, python).env(SERVER_VARIABLE, server).env("PATH", env::join_paths(debian::path())?);
    let (totals, is_success) = count(&mut tests)?;
    let is_empty = totals.passed == 0 && arguments.cargo.is_empty();
    // The last line of all: what reads the end of a run finds the sum, not the last program's share.
    println!("\n{totals}");
    io::stdout().flush()?;
    Ok(if is_success && !is_empty { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the server as it is shipped, without what tests switch on in it, and keeps a copy of it: `cargo test` builds the
/// program again with the tests' features and would put that one in its place.
fn build_server(workspace: &Workspace) -> Result<PathBuf> {
    let mut build = program::cargo(workspace);
    build.args(["build", "--package=talaria-server", "--bin=talaria", "--message-format=json-render-diagnostics"]);
    program::show(&build);
    let built = executable(&program::output(&mut build)?).context("cargo names no program")?;
    let folder = workspace.target.join("test-server");
    fs::create_dir_all(&folder)?;
    let (fresh, server) = (folder.join("talaria.new"), folder.join("talaria"));
    fs::copy(&built, &fresh).with_context(|| format!("copy {}", built.display()))?;
    fs::rename(&fresh, &server)?;
    Ok(server)
}

/// The program among cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    messages.lines().rev().find_map(|line| serde_json::from_str::<Message>(line).ok()?.executable)
}

fn cargo_test(workspace: &Workspace, arguments: &[String]) -> Command {
    let mut tests = program::cargo(workspace);
    tests.arg("test");
    let names_packages = arguments.iter().any(|word| {
        ["-p", "--package", "--workspace", "--all", "--manifest-path"].iter().any(|flag| word.starts_with(flag))
    });
    if !names_packages {
        tests.arg("--workspace");
    }
    // One failure does not hide the others.
    tests.arg("--no-fail-fast").args(arguments);
    tests
}

/// Runs it, passes on what it prints and adds it up.
fn count(tests: &mut Command) -> Result<(Totals, bool)> {
    program::show(tests);
    let mut child = tests.stdout(Stdio::piped()).spawn().context("start cargo test")?;
    let mut output = BufReader::new(child.stdout.take().context("cargo test has no output")?);
    let mut totals = Totals::default();
    let mut line = Vec::new();
    // By bytes: a test may print what is no UTF-8.
    while output.read_until(b'\n', &mut line)? > 0 {
        io::stdout().write_all(&line)?;
        totals.take(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    let is_success = child.wait()?.success();
    Ok((totals.finish(is_success), is_success))
}

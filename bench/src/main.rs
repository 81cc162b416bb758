//! Measures Talaria and mosquitto side by side, in one run, on one machine.
//!
//! `cargo run --release -p talaria-bench -- [--quick] [scenario…]` prints a table of figures against their goals and
//! writes the same with the value of every run as JSON below the target folder. `README.md` beside this crate tells
//! how each figure is measured. Start reading with [`run`]; a new figure begins in [`figure`], a new scenario in
//! [`scenario`], a new server in [`server`].

mod arguments;
mod client;
mod disk;
mod figure;
mod machine;
mod proc;
mod report;
mod results;
mod run;
mod scenario;
mod server;
mod stats;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Parser;

use arguments::{Arguments, Only};
use report::Conditions;
use scenario::Scale;
use server::Server;
use server::mosquitto::Mosquitto;
use server::talaria::Talaria;

fn main() -> ExitCode {
    match bench(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every figure is valid; a missed goal is a result, not a failure.
fn bench(arguments: &Arguments) -> Result<bool> {
    let scale = arguments.scale();
    let target = target_folder()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| target.join("bench"));
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    disk::check_is_real(&folder)?;
    machine::raise_open_files(scale.open_files())?;

    let work = tempfile::Builder::new().prefix("work-").tempdir_in(&folder)?;
    let mut servers = servers(arguments, &target, work.path())?;
    let load_before = machine::load();
    let results = run::all(&arguments.scenarios(), &scale, &mut servers, work.path())?;

    let conditions = conditions(arguments, &scale, &servers, &load_before);
    print!("{}", report::markdown(&conditions, &results));
    let file = folder.join(format!("results-{}.json", SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()));
    let json = serde_json::to_string_pretty(&report::json(&conditions, &results))?;
    fs::write(&file, json).with_context(|| format!("write {}", file.display()))?;
    println!("\nEvery run's values: {}", file.display());
    Ok(!results.any_invalid())
}

fn servers(arguments: &Arguments, target: &Path, work: &Path) -> Result<Vec<Box<dyn Server>>> {
    let mut servers: Vec<Box<dyn Server>> = Vec::new();
    if arguments.only != Some(Only::Talaria) {
        servers.push(Box::new(Mosquitto::new(arguments.mosquitto.clone())?));
    }
    if arguments.only != Some(Only::Mosquitto) {
        let program = match &arguments.talaria {
            Some(program) => program.clone(),
            None => build_talaria(target)?,
        };
        servers.push(Box::new(Talaria::new(program, arguments.settings.clone(), work.to_owned())));
    }
    Ok(servers)
}

/// The target folder of the build that this program comes from.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("where this program lies")?;
    let profile = program.parent().context("this program lies in no folder")?;
    Ok(profile.parent().unwrap_or(profile).to_owned())
}

/// Builds the server, for figures of yesterday's code mislead; nothing is done where it is up to date.
fn build_talaria(target: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "talaria-server", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .context("start cargo to build the server")?;
    if !status.success() {
        bail!("the server does not build; `--talaria PROGRAM` names one that is built, `--only mosquitto` needs none");
    }
    Ok(target.join("release/talaria"))
}

fn conditions(arguments: &Arguments, scale: &Scale, servers: &[Box<dyn Server>], load_before: &str) -> Conditions {
    let load = format!("{load_before} before, {} after (averages of 1, 5, 15 minutes)", machine::load());
    let mut lines = vec![("machine", machine::describe()), ("load", load)];
    if arguments.quick {
        lines.push(("size", "--quick: a look, not a measurement; no figure of it holds a goal".to_owned()));
    }
    lines.push(("scale", scale.describe()));
    lines.extend(servers.iter().map(|server| (server.name(), server.describe())));
    Conditions { lines }
}

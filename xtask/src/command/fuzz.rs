//! `cargo xtask fuzz`: the targets of the fuzz workspace, each for a bounded time.
//!
//! libFuzzer comes with the crate that the targets use, and all it needs of the compiler is coverage, which the stable one
//! gives: so there is no tool to install and no nightly. What it lacks, the address sanitizer, finds faults of unsafe code,
//! of which this workspace has none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{metadata, program};

/// Of the fuzz workspace, from the root.
pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";

/// Coverage for libFuzzer, as its documentation asks for (inline counters, the table of places, comparisons), in the way
/// that rustc passes it to LLVM. Overflow and debug assertions are on: they are what is looked for.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Cdebuginfo=line-tables-only",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Seconds in which one input must be worked off; the largest takes milliseconds.
const INPUT_S_MAX: u32 = 10;
/// Memory of a fuzzer, in MiB: growth beyond it is a finding.
const MEMORY_MIB_MAX: u32 = 2_048;

/// Runs fuzz targets, each for so many seconds.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which; all where none is named
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// For the fuzzer itself, as in `decode -- FILE` to run one input again
    #[arg(last = true)]
    fuzzer: Vec<String>,
}

impl Arguments {
    /// All targets.
    pub(crate) fn all(seconds: u32) -> Self {
        Self { targets: Vec::new(), seconds, fuzzer: Vec::new() }
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let known = targets(workspace)?;
    for target in &arguments.targets {
        ensure!(known.contains(target), "there is no fuzz target `{target}`; there are: {}", known.join(", "));
    }
    let chosen = if arguments.targets.is_empty() { &known } else { &arguments.targets };
    let programs = build(workspace)?;
    for target in chosen {
        let program = programs.join(target);
        if arguments.fuzzer.is_empty() {
            fuzz(workspace, target, &program, arguments.seconds)?;
        } else {
            program::run(program::at_root(workspace, &program).args(&arguments.fuzzer))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let mut cargo = program::cargo(workspace);
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--manifest-path", MANIFEST]);
    let members = metadata::members(&program::output(&mut cargo)?)?;
    let targets: Vec<String> = members.into_iter().flat_map(|member| member.programs).collect();
    ensure!(!targets.is_empty(), "{MANIFEST} has no fuzz target");
    Ok(targets)
}

/// Builds every target; returns the folder they are in.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    // With the triple named, build scripts and macros are left uninstrumented.
    let triple = host(workspace)?;
    let folder = workspace.target.join("fuzz");
    let mut build = program::cargo(workspace);
    build.args(["build", "--release", "--bins", "--locked", "--manifest-path", MANIFEST, "--target", &triple]);
    build.arg("--target-dir").arg(&folder).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    program::run(&mut build)?;
    Ok(folder.join(triple).join("release"))
}

fn host(workspace: &Workspace) -> Result<String> {
    let version = program::output(program::at_root(workspace, "rustc").arg("-vV"))?;
    let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("rustc names no host")?.to_owned())
}

/// Inputs found earlier are kept below the target folder and used again. The repository has the seeds, in `fuzz/corpus/`, and
/// maybe a dictionary, `fuzz/{target}.dict`.
fn fuzz(workspace: &Workspace, target: &str, program: &Path, seconds: u32) -> Result<()> {
    let found = workspace.target.join("fuzz/corpus").join(target);
    let findings = workspace.target.join("fuzz/findings").join(target);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&findings)?;
    let mut fuzzer = program::at_root(workspace, program);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-timeout={INPUT_S_MAX}")).arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"));
    fuzzer.arg(format!("-artifact_prefix={}/", findings.display())).arg("-print_final_stats=1");
    let dictionary = format!("fuzz/{target}.dict");
    if workspace.root.join(&dictionary).is_file() {
        fuzzer.arg(format!("-dict={dictionary}"));
    }
    fuzzer.arg(&found);
    let seeds = format!("fuzz/corpus/{target}");
    if workspace.root.join(&seeds).is_dir() {
        fuzzer.arg(seeds);
    }
    program::run(&mut fuzzer).with_context(|| {
        format!("fuzz target {target} found something; run it again with: cargo xtask fuzz {target} -- FILE")
    })
}

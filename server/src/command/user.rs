//! `talaria user`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, IsTerminal as _, Write as _, stdin};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::open::open;
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum User {
    /// Add an account and print its id; the password is the first line of standard input.
    Add {
        /// `@` and 3 to 32 of a-z 0-9 . _ -
        handle: String,
        /// The display name; the handle if left out.
        #[arg(long)]
        name: Option<String>,
    },
    /// Add an account for each line of a file of JSON objects with handle, name, and password or password_hash if wanted.
    Import {
        /// JSON lines.
        file: PathBuf,
        /// Written with handle, id and a device token a line, separated by tabs; readable by its owner only.
        #[arg(long)]
        tokens: Option<PathBuf>,
    },
}

impl User {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Add { handle, name } => add(config, &handle, name.as_deref()),
            Self::Import { file, tokens } => import(config, &file, tokens),
        }
    }
}

fn add(config: &Config, handle: &str, name: Option<&str>) -> anyhow::Result<()> {
    if stdin().is_terminal() {
        eprint!("password for {handle}: ");
    }
    let mut password = String::new();
    stdin().read_line(&mut password).context("the password cannot be read")?;
    let password = password.trim_end_matches(['\r', '\n']);
    let name = name.unwrap_or(handle.trim_start_matches('@'));
    open(config, async |accounts| {
        let account = accounts.sign_up(handle, password, name).await?;
        println!("{}", account.id);
        Ok(())
    })
}

fn import(config: &Config, file: &PathBuf, tokens: Option<PathBuf>) -> anyhow::Result<()> {
    let lines = BufReader::new(File::open(file).with_context(|| format!("{} cannot be read", file.display()))?).lines();
    let mut out = match tokens {
        Some(path) => {
            let new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
            Some(BufWriter::new(new.with_context(|| format!("{} cannot be written", path.display()))?))
        }
        None => None,
    };
    let mut written = Ok(());
    let made = open(config, async |accounts| {
        let on_made = |account: &talaria_port::accounts::Account, token: &str| {
            if let (Some(out), Ok(())) = (&mut out, &written) {
                written = writeln!(out, "{}\t{}\t{token}", account.handle, account.id);
            }
        };
        Ok(accounts.import(lines, on_made).await)
    })?;
    if let Some(out) = &mut out {
        out.flush().and(written).context("the tokens cannot be written")?;
    }
    eprintln!("{} accounts were added", made?);
    Ok(())
}

//! `talaria user`.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, BufReader, BufWriter, Write, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use talaria_accounts::{Imported, Made};
use talaria_core::Handle;

use super::open::open;
use super::password;
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum User {
    /// Add an account and print its id; the password comes from a prompt, or is the first line of standard input.
    Add {
        /// `@` and 3 to 32 of a-z 0-9 . _ -
        handle: String,
        /// The display name; the handle if left out.
        #[arg(long)]
        name: Option<String>,
    },
    /// Add an account for each line of a file. Run again, it passes over the handles that are taken.
    Import {
        /// JSON objects with handle, name, and password or password_hash (argon2id) if wanted, one a line.
        file: PathBuf,
        /// A new file for handle, id and a device token a line, separated by tabs; readable by its owner only.
        #[arg(long, value_name = "OUT")]
        tokens: Option<PathBuf>,
    },
}

impl User {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Add { handle, name } => add(config, &handle, name.as_deref()),
            Self::Import { file, tokens } => import(config, &file, tokens.as_deref()),
        }
    }
}

fn add(config: &Config, handle: &str, name: Option<&str>) -> anyhow::Result<()> {
    // Before anybody types a password for nothing.
    handle.parse::<Handle>()?;
    let password = password::ask(handle)?;
    let name = name.unwrap_or(handle.trim_start_matches('@'));
    open(config, async |accounts| {
        let account = accounts.sign_up(handle, &password, name).await?;
        writeln!(stdout(), "{}", account.id).context("the id cannot be printed")
    })
}

fn import(config: &Config, file: &Path, tokens: Option<&Path>) -> anyhow::Result<()> {
    let lines = BufReader::new(File::open(file).with_context(|| format!("{} cannot be read", file.display()))?);
    let mut out = tokens.map(new_file).transpose()?;
    let mut on_made = |made: &[Made<'_>]| write_tokens(out.as_mut(), made);
    let (imported, outcome) =
        open(config, async |accounts| Ok(accounts.import(lines, tokens.is_some(), &mut on_made).await))?;
    tell(&imported);
    if let Some(path) = tokens.filter(|_| imported.made == 0) {
        // Nothing is in it, and it would only be in the way of the next try.
        remove_file(path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    outcome.with_context(|| format!("{} was not imported to its end", file.display()))
}

/// Never one that exists: the tokens in it could not be had again.
fn new_file(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(BufWriter::new(file.with_context(|| format!("{} cannot be made", path.display()))?))
}

fn write_tokens(out: Option<&mut BufWriter<File>>, made: &[Made<'_>]) -> io::Result<()> {
    let Some(out) = out else { return Ok(()) };
    for Made { account, token } in made {
        let token = token.map_or("", |token| token.reveal());
        writeln!(out, "{}\t{}\t{token}", account.handle, account.id)?;
    }
    out.flush()
}

fn tell(imported: &Imported) {
    eprintln!("{} accounts were added", imported.made);
    if imported.taken > 0 {
        let lines: Vec<_> = imported.taken_lines.iter().map(ToString::to_string).collect();
        let more = if imported.taken > lines.len() as u64 { " and more" } else { "" };
        eprintln!(
            "{} handles were taken already and stay as they are: lines {}{more}",
            imported.taken,
            lines.join(", ")
        );
    }
}

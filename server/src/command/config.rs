//! `talaria config`.

use clap::Subcommand;

use crate::config::{Config, example, markdown};

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Print a file with every key at its default.
    Example,
    /// Read the configuration and say what is wrong with it.
    Check,
    /// Print the page of the documents.
    #[command(hide = true)]
    Markdown,
}

impl ConfigCommand {
    pub(super) fn run(self, load: impl FnOnce() -> anyhow::Result<Config>) -> anyhow::Result<()> {
        match self {
            Self::Example => print!("{}", example()),
            Self::Markdown => print!("{}", markdown()),
            Self::Check => {
                load()?;
                println!("the configuration is valid");
            }
        }
        Ok(())
    }
}

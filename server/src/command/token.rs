//! `talaria token`.

use std::io::{Write as _, stdout};

use anyhow::Context as _;
use clap::Args;

use super::open::open_existing;
use crate::config::Config;

#[derive(Args)]
pub(super) struct Token {
    /// Id or `@handle`.
    user: String,
    /// What the device is called.
    #[arg(long)]
    device: String,
}

impl Token {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        open_existing(config, async |accounts| {
            let user = accounts.resolve(&self.user).await?;
            let user = user.with_context(|| format!("there is no user {}", self.user))?;
            let (token, _) = accounts.add_device_token(user, &self.device).await?;
            writeln!(stdout(), "{}", token.reveal()).context("the token cannot be printed")
        })
    }
}

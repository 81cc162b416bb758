//! `talaria token`.

use clap::Args;

use super::open::open;
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
        open(config, async |accounts| {
            let user = accounts.resolve(&self.user).await?;
            let user = user.ok_or_else(|| anyhow::anyhow!("there is no user {}", self.user))?;
            let (token, _) = accounts.add_device_token(user, &self.device).await?;
            println!("{token}");
            Ok(())
        })
    }
}

//! What the program can be asked to do, one file a command.

mod config;
mod open;
mod password;
mod serve;
mod token;
mod user;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::{Config, FILE_VARIABLE};

/// A self-hosted chat platform that speaks MQTT.
#[derive(Parser)]
#[command(name = "talaria", version, about)]
struct Arguments {
    /// The configuration file; without one, defaults and the environment.
    #[arg(long, global = true, env = FILE_VARIABLE)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server; the default.
    Serve,
    /// Add accounts.
    #[command(subcommand)]
    User(user::User),
    /// Make a device and print its token, and nothing else.
    Token(token::Token),
    /// Print or check the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Does what the arguments of the process say.
///
/// # Errors
/// What went wrong, for people.
pub fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let load = || Config::load(arguments.config.as_deref());
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(load()?),
        Command::User(user) => user.run(&load()?),
        Command::Token(token) => token.run(&load()?),
        Command::Config(command) => command.run(load),
    }
}

//! What a message of the pairs costs on a server that knows few accounts, and on one that knows very many.

use std::path::Path;

use anyhow::Result;

use super::{Scale, Values, pairs};
use crate::client::fleet::Fleet;
use crate::figure::Figure;
use crate::run::with_last_words;
use crate::server::Server;

/// Many over few, each on a fresh server with the pairs spread over all its accounts.
pub(crate) fn run(server: &dyn Server, scale: &Scale, folder: &Path) -> Result<Values> {
    let few = cost_us(server, scale, folder, scale.registered.0)?;
    let many = cost_us(server, scale, folder, scale.registered.1)?;
    Ok(vec![(Figure::RegisteredRatio, many / few)])
}

fn cost_us(server: &dyn Server, scale: &Scale, folder: &Path, accounts: usize) -> Result<f64> {
    let data = tempfile::tempdir_in(folder)?;
    let running = server.start(data.path(), accounts)?;
    let mut fleet = Fleet::new(running.address())?;
    let measured = pairs::join(&mut fleet, running.as_ref(), accounts / pairs::ACCOUNTS)
        .and_then(|publishers| pairs::cost_us(&mut fleet, running.as_ref(), &publishers, scale));
    measured.map_err(|error| with_last_words(&error, running.as_ref()))
}

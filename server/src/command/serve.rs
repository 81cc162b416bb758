//! `talaria serve`: runs until SIGTERM or SIGINT, then drains.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use talaria_port::{StoreError, StoreErrorKind};
use tokio::signal::unix::{SignalKind, signal};

use crate::assemble::Server;
use crate::config::Config;
use crate::logs;

/// The longest that draining may take.
const DRAIN: Duration = Duration::from_secs(20);

pub(super) fn run(config: Config) -> anyhow::Result<()> {
    logs::init(&config.log).context("log")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = config.data_dir.clone();
    let server = runtime.block_on(Server::start(config)).map_err(|error| with_advice(error, &folder))?;
    // Before it says that it is ready: who waits for that may end it at once.
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    for address in server.mqtt_addresses() {
        tracing::info!(%address, "mqtt: ready for clients");
    }
    for address in server.websocket_addresses() {
        tracing::info!(%address, "websocket: ready for clients at /mqtt");
    }
    if let Some(address) = server.http_address() {
        tracing::info!(%address, "http: ready for requests");
    }
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    tracing::info!("draining");
    server.drain(&runtime, DRAIN);
    tracing::info!("stopped");
    Ok(())
}

/// Says of damage what to do about it: nobody else will.
fn with_advice(error: anyhow::Error, folder: &Path) -> anyhow::Error {
    let of_store = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
    if of_store.is_none_or(|cause| cause.kind != StoreErrorKind::Damaged) {
        return error;
    }
    error.context(format!(
        "the data folder {} is damaged, and starting on it could lose what was acknowledged; put its last backup in its place",
        folder.display()
    ))
}

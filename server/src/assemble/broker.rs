//! The MQTT edge.

use std::sync::Arc;
use std::thread::available_parallelism;

use talaria_accounts::Accounts;
use talaria_bridge::{Bridge, NodeIds};
use talaria_broker::{Broker, Deps, Prepared, Settings};
use talaria_core::Rules;
use talaria_storage_fjall::FjallStore;
use talaria_storage_memory::{LocalClaims, LocalDirectory, SystemClock};

use super::spawn::RuntimeSpawn;
use crate::config::Config;

pub(super) struct Parts<'a> {
    pub(super) bridge: &'a Bridge,
    pub(super) accounts: &'a Arc<Accounts>,
    pub(super) messages: Arc<FjallStore>,
    pub(super) directory: Arc<LocalDirectory>,
    pub(super) ids: Arc<NodeIds>,
    pub(super) clock: Arc<SystemClock>,
    pub(super) spawn: Arc<RuntimeSpawn>,
}

pub(super) fn prepare(config: &Config) -> anyhow::Result<Prepared> {
    let cores = available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX));
    let loops = if config.loops == 0 { cores } else { config.loops };
    let settings = Settings {
        listen: config.listen.mqtt.0.into_iter().collect(),
        listen_websocket: config.listen.ws.0.into_iter().collect(),
        websocket_origins: (!config.websocket_origins.is_empty()).then(|| config.websocket_origins.clone()),
        loops,
        packet_bytes_max: config.limits.packet_bytes,
        connections_max: config.limits.connections.div_ceil(usize::from(loops)),
    };
    Ok(talaria_broker::prepare(settings)?)
}

pub(super) fn start(prepared: Prepared, parts: Parts<'_>) -> anyhow::Result<Broker> {
    let bridge = Arc::new(parts.bridge.clone());
    let deps = Deps {
        ingest: bridge.clone(),
        sessions: parts.messages,
        session_log: bridge.clone(),
        directory: parts.directory,
        claims: Arc::new(LocalClaims::new()),
        authenticate: parts.accounts.clone(),
        people: parts.accounts.clone(),
        catch_ups: bridge,
        ids: parts.ids,
        clock: parts.clock,
        spawn: parts.spawn,
        settled: parts.bridge.settled(),
        rules: Rules::default(),
    };
    Ok(prepared.start(&deps)?)
}

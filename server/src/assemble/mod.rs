//! A node: every role on the embedded stores of one data folder, one file a role.

mod api;
mod bridge;
mod broker;
mod http;
mod spawn;
mod stores;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use talaria_accounts::Accounts;
use talaria_port::ids::Ids;
use talaria_storage_memory::{LocalDirectory, SystemClock};
use talaria_storage_sql::SqliteStore;
use tokio::runtime::Runtime;

use crate::config::Config;
use spawn::RuntimeSpawn;
use stores::Stores;
pub(crate) use stores::make_folder;

/// The file of accounts and channels in the data folder.
pub const DATABASE: &str = "talaria.db";

/// What closing the database has when all else took its time.
const CLOSE_MIN: Duration = Duration::from_secs(1);

/// A running node.
pub struct Server {
    broker: talaria_broker::Broker,
    bridge: bridge::BridgeThreads,
    http: Option<api::Http>,
    relational: Arc<SqliteStore>,
    mqtt_addresses: Vec<SocketAddr>,
    websocket_addresses: Vec<SocketAddr>,
    is_ready: Arc<AtomicBool>,
}

impl Server {
    /// Opens the stores, recovers, then accepts clients.
    ///
    /// # Errors
    /// The folder is in use or damaged, or an address cannot be listened on.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock::new());
        let Stores { messages, relational, lease } = stores::open(&config).await?;
        let ids = Arc::new(talaria_bridge::NodeIds::open(lease, clock.clone())?);
        let settings = talaria_accounts::Settings {
            cache_entries_max: config.limits.cached_accounts,
            ..talaria_accounts::Settings::default()
        };
        let accounts = Accounts::open(relational.clone(), ids.clone(), clock.clone(), settings).await?;
        let directory = Arc::new(LocalDirectory::new());
        let spawn = Arc::new(RuntimeSpawn::current());

        let prepared = broker::prepare(&config)?;
        let mut mqtt_addresses = prepared.addresses().to_vec();
        let websocket_addresses = mqtt_addresses.split_off(usize::from(config.listen.mqtt.0.is_some()));
        let deps = talaria_bridge::Deps {
            store: messages.clone(),
            channels: relational.clone(),
            people: accounts.clone(),
            directory: directory.clone(),
            ids: ids.clone(),
            clock: clock.clone(),
            spawn: spawn.clone(),
            mailboxes: prepared.mailboxes(),
        };
        let settings = talaria_bridge::Settings {
            channel_members_max: config.limits.channel_members,
            ..talaria_bridge::Settings::default()
        };
        let bridge = talaria_bridge::Bridge::new(deps, settings);
        let threads = bridge::start(&bridge)?;

        let parts = broker::Parts {
            bridge: &bridge,
            accounts: &accounts,
            messages,
            directory,
            ids: ids.clone(),
            clock: clock.clone(),
            spawn,
        };
        let broker = broker::start(prepared, parts)?;
        // Loops run by now, because finishing a membership change waits for them; the listeners' backlog waits with the clients.
        bridge.recover().await.context("the stores cannot be read")?;
        let is_ready = Arc::new(AtomicBool::new(true));
        let http = match config.listen.http.0 {
            Some(address) => {
                let relational = relational.clone();
                let parts = api::Parts { bridge, accounts, relational, ids, clock, is_ready: is_ready.clone() };
                Some(api::start(address, parts, &config).await?)
            }
            None => None,
        };
        Ok(Self { broker, bridge: threads, http, relational, mqtt_addresses, websocket_addresses, is_ready })
    }

    /// Where MQTT clients connect.
    pub fn mqtt_addresses(&self) -> &[SocketAddr] {
        &self.mqtt_addresses
    }

    /// Where MQTT clients connect over WebSocket.
    pub fn websocket_addresses(&self) -> &[SocketAddr] {
        &self.websocket_addresses
    }

    /// Where HTTP requests go.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|http| http.address)
    }

    /// Stops accepting, finishes what is in flight, writes marks, disconnects clients, flushes.
    pub fn drain(self, runtime: &Runtime, within: Duration) {
        let until = Instant::now() + within;
        let left = || until.saturating_duration_since(Instant::now());
        self.is_ready.store(false, Ordering::Release);
        if let Some(http) = self.http {
            // Half, so that clients have the rest.
            runtime.block_on(http.stop(within / 2));
        }
        self.broker.drain(left());
        self.bridge.stop();
        // What is acknowledged is durable by now; this only spares the next start some reading.
        let close = left().max(CLOSE_MIN);
        let closed = runtime.block_on(async { tokio::time::timeout(close, self.relational.close()).await });
        if !matches!(closed, Ok(Ok(()))) {
            tracing::warn!("the database of accounts is closed without its seal: every row is read at the next start");
        }
    }
}

/// Ids for a command, of a worker number that no server has; any number of commands may draw at once.
///
/// # Errors
/// The database cannot be written.
pub async fn standalone_ids(store: &Arc<SqliteStore>, clock: Arc<SystemClock>) -> anyhow::Result<Arc<dyn Ids>> {
    Ok(Arc::new(talaria_accounts::CommandIds::open(store.clone(), clock).await?))
}

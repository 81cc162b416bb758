//! The HTTP listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use talaria_accounts::Accounts;
use talaria_api::{Deps, Settings};
use talaria_bridge::{Bridge, NodeIds};
use talaria_storage_memory::SystemClock;
use talaria_storage_sql::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::http;
use crate::config::Config;

pub(super) struct Parts {
    pub(super) bridge: Bridge,
    pub(super) accounts: Arc<Accounts>,
    pub(super) relational: Arc<SqliteStore>,
    pub(super) ids: Arc<NodeIds>,
    pub(super) clock: Arc<SystemClock>,
    pub(super) is_ready: Arc<AtomicBool>,
}

pub(super) struct Http {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub(super) async fn start(address: SocketAddr, parts: Parts, config: &Config) -> anyhow::Result<Http> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let bridge = Arc::new(parts.bridge);
    let is_ready = parts.is_ready;
    let router = talaria_api::router(Deps {
        accounts: parts.accounts,
        channels: parts.relational,
        membership: bridge.clone(),
        history: bridge.clone(),
        submit: bridge.clone(),
        catch_ups: bridge,
        ids: parts.ids,
        clock: parts.clock,
        ready: Arc::new(move || is_ready.load(Ordering::Acquire)),
        settings: Settings { channel_members_max: config.limits.channel_members },
    });
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async {
            // Dropped or sent, it means the same.
            let _ = stopped.await;
        };
        http::serve(listener, router, stopped).await;
    });
    Ok(Http { address, stop, task })
}

impl Http {
    /// Stops accepting and lets running requests end.
    pub(super) async fn stop(self, within: Duration) {
        // The task may have ended already.
        let _ = self.stop.send(());
        if tokio::time::timeout(within, self.task).await.is_err() {
            tracing::warn!("requests were still running");
        }
    }
}

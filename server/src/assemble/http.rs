//! HTTP connections: how many, and how long they may keep silent, so that whoever only opens them takes no descriptor from MQTT.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use talaria_core::limits::{CONNECT_DEADLINE_S, HTTP_CONNECTIONS_MAX};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The wait after the system refused a connection, most likely for want of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// Serves until `stopped`, then lets running requests end.
pub(super) async fn serve(listener: TcpListener, router: Router, stopped: impl Future<Output = ()>) {
    let (places, graceful) = (Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX)), GracefulShutdown::new());
    let mut stopped = pin!(stopped);
    loop {
        let next = async {
            // Taken before the connection is, so that those beyond the bound wait in the kernel.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, stream) = tokio::select! {
            () = &mut stopped => break,
            next = next => next,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Also between two requests of a connection that is kept.
            .header_read_timeout(Duration::from_secs(u64::from(CONNECT_DEADLINE_S)))
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an http connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept http; tried again in a second");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

//! A store's trouble on its way to a client.

use talaria_port::{Refusal, Retry, StoreError};

/// What the client is told; the cause is only in the log.
pub(crate) fn told(error: StoreError) -> Refusal {
    match error.retry() {
        Retry::Later => tracing::warn!(%error, "a store failed"),
        Retry::Never => tracing::error!(%error, "a store failed"),
    }
    error.into()
}

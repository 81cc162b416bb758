//! Log lines on standard error.

use tracing_subscriber::EnvFilter;

/// `filter` as in `info,talaria_bridge=debug`.
pub(crate) fn init(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    // A second one in the same process, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    Ok(())
}

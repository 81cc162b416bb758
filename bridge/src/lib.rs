//! talaria-bridge

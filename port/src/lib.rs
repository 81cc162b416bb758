//! talaria-port

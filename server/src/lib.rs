//! talaria-server

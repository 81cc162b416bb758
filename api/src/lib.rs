//! talaria-api

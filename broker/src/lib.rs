//! talaria-broker

//! talaria-broker

pub mod delivery;

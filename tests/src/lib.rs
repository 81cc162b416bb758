//! talaria-tests

//! talaria-accounts

//! talaria-storage-contract

//! talaria-storage-memory

//! talaria-storage-sql

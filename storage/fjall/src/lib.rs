//! talaria-storage-fjall

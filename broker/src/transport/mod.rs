//! What bytes come over.

pub(crate) mod tcp;

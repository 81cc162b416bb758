//! One file a command.

pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod fuzz;
pub(crate) mod test;
pub(crate) mod tidy;

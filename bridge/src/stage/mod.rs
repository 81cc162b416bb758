//! The way of a message, one file a stage (DESIGN §4): a submission is authorized, looked up, numbered and staged by the
//! thread that brought it; the committer settles it and fans it out. [`wake`] and [`sleep`] bring conversations into memory and out.

pub(crate) mod authorize;
pub(crate) mod commit;
pub(crate) mod dedupe;
pub(crate) mod fan_out;
pub(crate) mod hint;
pub(crate) mod number;
pub(crate) mod settle;
pub(crate) mod sleep;
pub(crate) mod wake;

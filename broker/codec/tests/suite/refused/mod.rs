//! What is refused, and by which rule: HARDENING "Decoding", a file a part. Topics, streams and reason codes have their
//! own files beside this folder.

mod connect;
mod fields;
mod filters;
mod flags;
mod left_over;
mod properties;
mod sides;
mod text;
mod topics;

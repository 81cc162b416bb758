//! The rules of delivery: one by one in [`rules`], all interleaved in [`model`].

mod model;
mod rules;
mod toy;

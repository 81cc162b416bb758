//! The pipeline on the memory backends and virtual time; tasks and rounds are stepped by hand.

mod harness;
mod membership;
mod never_twice;
mod order;
mod watermark;

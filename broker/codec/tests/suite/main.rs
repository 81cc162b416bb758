//! What holds of the codec, by subject. `CODEC_SEED=n` replays a random test that failed, `CODEC_CASES=n` runs it longer.
//!
//! Where a test holds a statement of the standard it names it; numbers are those of 5.0 unless it says 3.1.1. What needs
//! the history of a connection is held by the broker's tests: the first packet is CONNECT (MQTT-3.1.0-1), there is no
//! second one (MQTT-3.1.0-2), topic aliases, Receive Maximum, rights on `$` topics.

#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, as in any test")]

mod answers;
mod corpus;
mod differential;
mod encoding;
mod packets;
mod pinned;
mod random;
mod reasons;
mod refused;
mod round_trip;
mod short_forms;
mod stream;
mod topics;
mod wire;

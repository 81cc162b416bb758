//! The bytes of a packet of each type and version, laid out by hand from the figures of the standards. What is written is
//! these bytes, and these bytes are read as what was written.

mod v311;
mod v5;

use talaria_codec::{Direction, Packet, Version};

use crate::wire::{hex, read, to_hex, written};

/// Holds it in both directions; `bytes` is hex, blanks as one likes.
#[track_caller]
fn pinned(version: Version, direction: Direction, packet: Packet<'_>, bytes: &[&str]) {
    let bytes = hex(&bytes.concat());
    assert_eq!(to_hex(&written(&packet, version)), to_hex(&bytes), "written");
    assert_eq!(read(&bytes, version, direction), Ok(packet), "read");
}

//! The seeds of the fuzz target (`fuzz/corpus/decode`), read on every run of the tests as the target reads them.

use std::fs;
use std::path::Path;

use talaria_codec::{Direction, Frame, Version, decode, frame};

use crate::wire::{WAYS, written};

#[test]
fn every_seed_is_refused_or_read_again_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/decode");
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() > 50, "{} seeds", seeds.len());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        assert!(bytes.len() < 1024, "{}: a seed is small", seed.display());
        let name = seed.file_name().unwrap().to_str().unwrap();
        let accepted: Vec<_> =
            WAYS.into_iter().filter(|&(version, direction)| stream(&bytes, version, direction)).collect();
        // What a server refuses in 5.0 may be a packet of 3.1.1: a PUBLISH has no properties there, only payload.
        match name.starts_with("refused-") || name.starts_with("text-") {
            true => assert!(!accepted.contains(&(Version::V5, Direction::ToServer)), "{name} was accepted"),
            false => assert!(!accepted.is_empty(), "{name} was refused"),
        }
    }
}

/// Whether all of the stream is packets.
fn stream(mut rest: &[u8], version: Version, direction: Direction) -> bool {
    while let Ok(Frame::Complete { packet_bytes }) = frame(rest, 64 * 1024) {
        let Ok(packet) = decode(&rest[..packet_bytes], version, direction) else { return false };
        let again = written(&packet, version);
        assert_eq!(decode(&again, version, direction), Ok(packet));
        rest = &rest[packet_bytes..];
    }
    rest.is_empty()
}

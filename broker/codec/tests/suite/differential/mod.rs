//! Our codec beside one that others wrote, `mqtt5-protocol`: the same packets are the same values in both, and where one
//! accepts bytes that the other refuses, the difference is listed with its reason in [`differences`].
//!
//! It was chosen over `rmqtt-codec` for its dependencies: four crates more than the workspace has anyway, against eight.

mod differences;
mod mutated;
mod ours;
mod plain;
mod theirs;

use proptest::prelude::*;
use talaria_codec::{Direction, Version, decode};

use crate::packets::types;
use crate::random::{Checked, check};
use crate::wire::{WAYS, packet, to_hex, written};
use differences::{accepted_by_ours_alone, accepted_by_theirs_alone};
use mutated::mutations;

/// What we write they read as the same values, and what they write we read as them again.
#[test]
fn a_packet_is_the_same_in_both() {
    for (version, direction) in WAYS {
        for (name, packets) in types(version, direction) {
            check(100, &packets, |packet| {
                if accepted_by_ours_alone(&packet) {
                    return Ok(());
                }
                let bytes = written(&packet, version);
                let read_by_them = theirs::decode(&bytes, version);
                prop_assert!(read_by_them.is_ok(), "{} {:?}: {:?}", name, packet, read_by_them);
                let read_by_them = read_by_them.unwrap();
                prop_assert_eq!(theirs::plain(&read_by_them), ours::plain(&packet, version));
                let written_by_them = theirs::encode(&read_by_them);
                prop_assert_eq!(decode(&written_by_them, version, direction), Ok(packet));
                Ok(())
            });
        }
    }
}

/// Random packets with a few bytes changed: both accept them as the same values, or both refuse them, or the difference
/// is a known one.
#[test]
fn a_mutated_packet_is_judged_by_both_alike() {
    for (version, direction) in WAYS {
        for (_, packets) in types(version, direction) {
            check(250, &(packets, mutations()), |(packet, mutations)| {
                let bytes = mutated::mutate(&written(&packet, version), &mutations);
                judged_alike(&bytes, version, direction)
            });
        }
    }
}

/// The same of bytes that were never a packet.
#[test]
fn random_bytes_are_judged_by_both_alike() {
    let bytes = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..16)).prop_map(|(first, body)| packet(first, &body));
    check(5_000, &bytes, |bytes| {
        for (version, direction) in WAYS {
            judged_alike(&bytes, version, direction)?;
        }
        Ok(())
    });
}

fn judged_alike(bytes: &[u8], version: Version, direction: Direction) -> Checked {
    let (ours, theirs) = (decode(bytes, version, direction), theirs::decode(bytes, version));
    let hex = || format!("{version:?} {direction:?} {}", to_hex(bytes));
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(ours::plain(ours, version), theirs::plain(theirs), "{}", hex());
        }
        (Err(_), Err(_)) => {}
        (Err(error), Ok(theirs)) => {
            prop_assert!(accepted_by_theirs_alone(bytes, error.rule()), "{}: {} but {:?}", hex(), error, theirs);
        }
        (Ok(ours), Err(theirs)) => {
            prop_assert!(accepted_by_ours_alone(ours), "{}: {} but {:?}", hex(), theirs, ours);
        }
    }
    Ok(())
}

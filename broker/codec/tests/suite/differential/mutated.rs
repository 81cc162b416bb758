//! Packets with a few bytes changed.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::wire::packet;

/// One change, at a place that is given as a share of what there is.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    /// One bit is another.
    Flip(Index, u8),
    /// One byte is another, often one that means something.
    Set(Index, u8),
    /// Bytes are gone.
    Remove(Index, u8),
    /// Bytes are there twice: properties, filters, reason codes.
    Repeat(Index, u8),
    /// A byte is there that was not.
    Insert(Index, u8),
    /// What follows is gone.
    Cut(Index),
    /// The first byte is another.
    FirstByte(u8),
    /// The remaining length is not made to fit.
    KeepLength,
}

/// A few of them.
pub(crate) fn mutations() -> impl Strategy<Value = Vec<Mutation>> + Clone {
    let telling =
        prop::sample::select(&[0, 1, 2, 3, 4, 5, 0x0B, 0x15, 0x1F, 0x21, 0x23, 0x26, 0x7F, 0x80, 0xC0, 0xFF][..]);
    let byte = prop_oneof![telling, any::<u8>()];
    let at = any::<Index>();
    let mutation = prop_oneof![
        4 => (at.clone(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        4 => (at.clone(), byte.clone()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (at.clone(), 1..8_u8).prop_map(|(at, count)| Mutation::Remove(at, count)),
        2 => (at.clone(), 1..8_u8).prop_map(|(at, count)| Mutation::Repeat(at, count)),
        2 => (at.clone(), byte.clone()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at.clone().prop_map(Mutation::Cut),
        1 => byte.prop_map(Mutation::FirstByte),
        1 => Just(Mutation::KeepLength),
    ];
    prop::collection::vec(mutation, 1..4)
}

/// The packet with the changes to its body, and its length made to fit unless that is one of them.
pub(crate) fn mutate(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let header_bytes = 2 + bytes[1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    let (header, body) = bytes.split_at(header_bytes);
    let (mut first_byte, mut body, mut keeps_length) = (header[0], body.to_vec(), false);
    for mutation in mutations {
        let end = |start: usize, count: u8| (start + usize::from(count)).min(body.len());
        match mutation {
            Mutation::FirstByte(byte) => first_byte = *byte,
            Mutation::KeepLength => keeps_length = true,
            Mutation::Insert(at, byte) => body.insert(at.index(body.len() + 1), *byte),
            _ if body.is_empty() => {}
            Mutation::Flip(at, bit) => {
                let at = at.index(body.len());
                body[at] ^= 1 << bit;
            }
            Mutation::Set(at, byte) => {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            Mutation::Remove(at, count) => {
                let start = at.index(body.len());
                body.drain(start..end(start, *count));
            }
            Mutation::Repeat(at, count) => {
                let start = at.index(body.len());
                let range = start..end(start, *count);
                body.splice(start..start, body[range].to_vec());
            }
            Mutation::Cut(at) => body.truncate(at.index(body.len())),
        }
    }
    match keeps_length {
        true => [&[first_byte], &header[1..], &body].concat(),
        false => packet(first_byte, &body),
    }
}

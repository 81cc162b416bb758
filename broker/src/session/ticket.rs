//! Tickets of submissions: 24 bits of entry, 20 bits of its nonce, 20 bits of the connection's own number.

use talaria_port::deliver::Address;

const NUMBER_BITS: u32 = 20;
const NONCE_BITS: u32 = 20;
/// The largest number of a submission.
pub(crate) const NUMBER_MAX: u32 = (1 << NUMBER_BITS) - 1;
const NONCE_MASK: u64 = (1 << NONCE_BITS) - 1;

/// The ticket of a connection's submission.
pub(crate) fn join(me: Address, number: u32) -> u64 {
    u64::from(me.slot) << (NUMBER_BITS + NONCE_BITS)
        | (u64::from(me.nonce) & NONCE_MASK) << NUMBER_BITS
        | u64::from(number & NUMBER_MAX)
}

/// Entry, low bits of its nonce, number.
pub(crate) fn split(ticket: u64) -> (u32, u32, u32) {
    let slot = (ticket >> (NUMBER_BITS + NONCE_BITS)) as u32;
    let nonce = (ticket >> NUMBER_BITS & NONCE_MASK) as u32;
    (slot, nonce, (ticket & u64::from(NUMBER_MAX)) as u32)
}

/// Whether the bits of a ticket are those of this nonce.
pub(crate) fn is_of(nonce: u32, bits: u32) -> bool {
    u64::from(nonce) & NONCE_MASK == u64::from(bits)
}

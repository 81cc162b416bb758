//! Writing of the data types of section 1.5. Lengths are checked before the first byte goes out, never while writing.

use bytes::BufMut;

use crate::topic::has_nul;
use crate::{EncodeError, Rule};

/// The largest value of a variable byte integer, and so of a remaining length (section 1.5.5).
pub const REMAINING_LENGTH_MAX: usize = 268_435_455;

/// The largest length of a string or of binary data (section 1.5.4).
const FIELD_BYTES_MAX: usize = 65_535;

/// Bytes that a variable byte integer takes.
#[inline]
pub(crate) const fn var_int_bytes(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

/// Writes a variable byte integer. The caller has checked that it is at most [`REMAINING_LENGTH_MAX`].
#[inline]
pub(crate) fn put_var_int(out: &mut impl BufMut, mut value: usize) {
    debug_assert!(value <= REMAINING_LENGTH_MAX);
    loop {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            return out.put_u8(low);
        }
        out.put_u8(low | 0x80);
    }
}

/// Bytes that binary data takes with its length.
#[inline]
pub(crate) const fn field_bytes(bytes: &[u8]) -> usize {
    2 + bytes.len()
}

/// Writes binary data. The caller has checked it with [`check_binary`].
#[inline]
pub(crate) fn put_binary(out: &mut impl BufMut, bytes: &[u8]) {
    debug_assert!(bytes.len() <= FIELD_BYTES_MAX);
    out.put_u16(bytes.len() as u16);
    out.put_slice(bytes);
}

/// Writes a string. The caller has checked it with [`check_text`].
#[inline]
pub(crate) fn put_text(out: &mut impl BufMut, text: &str) {
    put_binary(out, text.as_bytes());
}

#[inline]
pub(crate) const fn check_binary(bytes: &[u8]) -> Result<(), EncodeError> {
    if bytes.len() > FIELD_BYTES_MAX { Err(EncodeError::FieldTooLong) } else { Ok(()) }
}

#[inline]
pub(crate) fn check_text(text: &str) -> Result<(), EncodeError> {
    check_binary(text.as_bytes())?;
    if has_nul(text) { Err(Rule::Nul.into()) } else { Ok(()) }
}

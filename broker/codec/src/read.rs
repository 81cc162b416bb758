//! Checked reading of the data types of section 1.5. It cannot panic and cannot read past its slice.

use std::num::NonZeroU16;

use crate::Rule;
use crate::topic::has_nul;

/// The unread rest of a packet or of a property block.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes all that is left.
    #[inline]
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// The packet must be over.
    #[inline]
    pub(crate) const fn end(&self) -> Result<(), Rule> {
        if self.rest.is_empty() { Ok(()) } else { Err(Rule::BytesLeftOver) }
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Rule> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>().ok_or(Rule::Truncated)?;
        self.rest = rest;
        Ok(*chunk)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Rule> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// Section 1.5.2.
    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Rule> {
        self.chunk().map(u16::from_be_bytes)
    }

    /// Section 1.5.3.
    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Rule> {
        self.chunk().map(u32::from_be_bytes)
    }

    /// MQTT-2.2.1-3.
    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<NonZeroU16, Rule> {
        NonZeroU16::new(self.u16()?).ok_or(Rule::PacketIdZero)
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Rule> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Rule::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Section 1.5.5, shortest form only (MQTT-1.5.5-1).
    #[inline]
    pub(crate) fn var_int(&mut self) -> Result<u32, Rule> {
        match var_int(self.rest)? {
            Some((value, bytes)) => {
                self.take(bytes)?;
                Ok(value)
            }
            None => Err(Rule::Truncated),
        }
    }

    /// As many bytes as a variable byte integer before them says: a property block.
    #[inline]
    pub(crate) fn block(&mut self) -> Result<&'a [u8], Rule> {
        let bytes = usize::try_from(self.var_int()?).map_err(|_| Rule::Truncated)?;
        self.take(bytes)
    }

    /// Section 1.5.6.
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Rule> {
        let bytes = usize::from(self.u16()?);
        self.take(bytes)
    }

    /// A string whose U+0000 the caller looks for, with whatever else it looks for (MQTT-1.5.4-1).
    #[inline]
    pub(crate) fn utf8(&mut self) -> Result<&'a str, Rule> {
        std::str::from_utf8(self.binary()?).map_err(|_| Rule::Utf8)
    }

    /// Section 1.5.4: well-formed UTF-8 without surrogates (MQTT-1.5.4-1) and without U+0000 (MQTT-1.5.4-2).
    /// A byte order mark is a character like any other (MQTT-1.5.4-3).
    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Rule> {
        let text = self.utf8()?;
        if has_nul(text) { Err(Rule::Nul) } else { Ok(text) }
    }
}

/// The variable byte integer in front of `bytes` and how many bytes it takes; `None` when more must come to know it.
#[inline]
pub(crate) fn var_int(bytes: &[u8]) -> Result<Option<(u32, usize)>, Rule> {
    let mut value = 0;
    for (position, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * position);
        if byte & 0x80 == 0 {
            let overlong = byte == 0 && position > 0;
            return if overlong { Err(Rule::LengthOverlong) } else { Ok(Some((value, position + 1))) };
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Rule::LengthTooLong) }
}

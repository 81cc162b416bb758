//! Subscription identifiers of a delivery (section 3.3.2.3.8): beside user properties the only property that may be there
//! more than once.

use std::fmt;
use std::num::NonZeroU32;

use super::Property;
use crate::read::Reader;

/// The subscription identifiers of a PUBLISH, borrowed: after decoding a view of the packet's bytes that were validated
/// and are read again on iteration, for encoding one or any slice of them.
#[derive(Clone, Copy, Default)]
pub struct SubscriptionIds<'a>(Source<'a>);

#[derive(Clone, Copy, Default)]
enum Source<'a> {
    #[default]
    None,
    One(NonZeroU32),
    Slice(&'a [NonZeroU32]),
    /// A validated property block, other properties among them, and how many are subscription identifiers.
    Block(&'a [u8], usize),
}

impl<'a> SubscriptionIds<'a> {
    /// One, the usual number.
    pub const fn one(id: NonZeroU32) -> Self {
        Self(Source::One(id))
    }

    /// With one more that was read. From the second on only their number is known, until [`in_block`](Self::in_block).
    pub(crate) fn and(self, id: NonZeroU32) -> Self {
        match self.count() {
            0 => Self::one(id),
            count => Self(Source::Block(&[], count + 1)),
        }
    }

    /// The same, read from that block.
    pub(crate) fn in_block(self, block: &'a [u8]) -> Self {
        match self.0 {
            Source::Block(_, count) => Self(Source::Block(block, count)),
            _ => self,
        }
    }

    /// The first.
    pub fn first(self) -> Option<NonZeroU32> {
        self.iter().next()
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        match self.0 {
            Source::None => 0,
            Source::One(_) => 1,
            Source::Slice(ids) => ids.len(),
            Source::Block(_, count) => count,
        }
    }

    /// Each, in their order.
    pub fn iter(self) -> impl Iterator<Item = NonZeroU32> + use<'a> {
        let (one, slice, block) = match self.0 {
            Source::None => (None, &[][..], &[][..]),
            Source::One(id) => (Some(id), &[][..], &[][..]),
            Source::Slice(ids) => (None, ids, &[][..]),
            Source::Block(block, _) => (None, &[][..], block),
        };
        one.into_iter().chain(slice.iter().copied()).chain(ids_of(block))
    }
}

fn ids_of(block: &[u8]) -> impl Iterator<Item = NonZeroU32> + use<'_> {
    let mut reader = Reader::new(block);
    let properties =
        std::iter::from_fn(move || if reader.is_empty() { None } else { Property::read(&mut reader).ok() });
    properties.filter_map(|property| match property {
        Property::SubscriptionIdentifier(id) => Some(id),
        _ => None,
    })
}

impl<'a> From<&'a [NonZeroU32]> for SubscriptionIds<'a> {
    fn from(ids: &'a [NonZeroU32]) -> Self {
        Self(Source::Slice(ids))
    }
}

impl PartialEq for SubscriptionIds<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SubscriptionIds<'_> {}

impl fmt::Debug for SubscriptionIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

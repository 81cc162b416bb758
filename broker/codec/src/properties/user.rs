//! User properties: any number of name and value pairs, with repetitions, in an order that is kept (section 2.2.2.2).

use std::fmt;

use super::Property;
use crate::Rule;
use crate::read::Reader;

/// User properties of one packet. The standard has no bound, and 2 MiB hold 400,000 of them; each is walked whenever the
/// packet is forwarded. Beyond: the packet is refused with 0x97.
pub const USER_PROPERTIES_MAX: usize = 64;

/// The user properties of a packet, borrowed: after decoding a view of the packet's bytes that were validated and are
/// read again on iteration, for encoding any slice of pairs.
///
/// ```
/// use talaria_codec::UserProperties;
/// let properties = UserProperties::from(&[("id", "7"), ("seq", "42")][..]);
/// assert_eq!(properties.iter().last(), Some(("seq", "42")));
/// ```
#[derive(Clone, Copy)]
pub struct UserProperties<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    /// A validated property block, other properties among them, and how many are user properties.
    Block(&'a [u8], usize),
    Pairs(&'a [(&'a str, &'a str)]),
}

impl<'a> UserProperties<'a> {
    /// No user properties.
    pub const EMPTY: Self = Self(Source::Pairs(&[]));

    pub(super) fn of_block(block: &'a [u8], count: usize) -> Result<Self, Rule> {
        let this = if count == 0 { Self::EMPTY } else { Self(Source::Block(block, count)) };
        this.check_count().map(|()| this)
    }

    pub(super) fn check_count(&self) -> Result<(), Rule> {
        if self.len() > USER_PROPERTIES_MAX { Err(Rule::UserPropertiesTooMany) } else { Ok(()) }
    }

    /// How many there are.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Block(_, count) => count,
            Source::Pairs(pairs) => pairs.len(),
        }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name and value of each, in their order.
    #[inline]
    pub fn iter(&self) -> UserPropertiesIter<'a> {
        UserPropertiesIter(match self.0 {
            Source::Block(block, count) => Rest::Block(Reader::new(block), count),
            Source::Pairs(pairs) => Rest::Pairs(pairs.iter()),
        })
    }

    /// The value of the first with this name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|&(found, _)| found == name).map(|(_, value)| value)
    }
}

impl Default for UserProperties<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> From<&'a [(&'a str, &'a str)]> for UserProperties<'a> {
    fn from(pairs: &'a [(&'a str, &'a str)]) -> Self {
        Self(Source::Pairs(pairs))
    }
}

impl PartialEq for UserProperties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UserProperties<'_> {}

impl fmt::Debug for UserProperties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for UserProperties<'a> {
    type Item = (&'a str, &'a str);
    type IntoIter = UserPropertiesIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterates over [`UserProperties`].
#[derive(Clone)]
pub struct UserPropertiesIter<'a>(Rest<'a>);

#[derive(Clone)]
enum Rest<'a> {
    Block(Reader<'a>, usize),
    Pairs(std::slice::Iter<'a, (&'a str, &'a str)>),
}

impl<'a> Iterator for UserPropertiesIter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Rest::Pairs(pairs) => pairs.next().copied(),
            Rest::Block(_, 0) => None,
            Rest::Block(reader, left) => loop {
                if let Property::User(name, value) = Property::read(reader).ok()? {
                    *left -= 1;
                    return Some((name, value));
                }
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Rest::Block(_, left) => *left,
            Rest::Pairs(pairs) => pairs.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for UserPropertiesIter<'_> {}

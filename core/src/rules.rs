//! The rules of delivery by number (DESIGN §4 "Rules of delivery").
//!
//! Each rule has a test that is red without it. For that the feature `rule-switches`, on in tests only, lets one rule be switched off;
//! without the feature the question costs nothing and the answer is always yes.

/// A rule of delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Rule {
    /// The watermark travels behind the deliveries that it covers.
    D1 = 1 << 0,
    /// A conversation that falls behind keeps the M of that moment until it has a seq.
    D2 = 1 << 1,
    /// A behind conversation stays behind until it delivered the highest seq that it dropped and heard its head.
    D3 = 1 << 2,
    /// Register, then walk the index, then current.
    D4 = 1 << 3,
    /// Walks have no upper end; M moves along window by window.
    D5 = 1 << 4,
    /// Without a cursor, an event with id ≤ M is dropped; M never falls.
    D6 = 1 << 5,
    /// Index rows are durable before the event.
    D7 = 1 << 6,
    /// An id is drawn and registered as pending under one hold of the shard lock.
    D8 = 1 << 7,
    /// Outgoing packet ids go on across connections.
    D9 = 1 << 8,
    /// The mark's write order is (generation, number of the write); its lists have a bound.
    D10 = 1 << 9,
}

/// Which rules hold: all of them, except in tests of the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    #[cfg(feature = "rule-switches")]
    broken: u16,
}

impl Rules {
    /// All rules but one.
    #[cfg(feature = "rule-switches")]
    pub const fn without(rule: Rule) -> Self {
        Self { broken: rule as u16 }
    }

    /// Whether the rule holds.
    #[inline]
    pub const fn hold(self, rule: Rule) -> bool {
        #[cfg(feature = "rule-switches")]
        return self.broken & rule as u16 == 0;
        #[cfg(not(feature = "rule-switches"))]
        {
            let _ = rule;
            true
        }
    }
}

//! Memory per idle connection: the slope between few and all, so that what a server needs anyway does not count.

use super::crowd::Rest;
use crate::figure::Figure;

/// Bytes for each of the `further` connections between the two.
pub(crate) fn per_connection(few: Rest, all: Rest, further: usize) -> (Figure, f64) {
    let grown = all.pss_bytes as f64 - few.pss_bytes as f64;
    (Figure::Memory, grown / further.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_without_anyone_does_not_count() {
        let few = Rest { pss_bytes: 50_000_000, files: 0 };
        let all = Rest { pss_bytes: 50_950_000, files: 0 };
        assert_eq!(per_connection(few, all, 9_500), (Figure::Memory, 100.0));
    }
}

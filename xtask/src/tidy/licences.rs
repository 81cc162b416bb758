//! Every shipped package may be shipped: its licence allows it without asking for more than notices.

use super::Finding;
use super::shipped::Shipped;

pub(super) fn check(shipped: &[Shipped], allowed: &[String]) -> Vec<Finding> {
    let is_bad = |package: &&Shipped| !is_satisfied(&package.licence, allowed);
    let finding = |package: &Shipped| {
        let licence = if package.licence.is_empty() { "no licence" } else { &package.licence };
        Finding::new(
            format!("{} {}", package.name, package.version),
            format!(
                "is shipped under {licence}, which deny.toml does not allow; look for another package before you allow it"
            ),
        )
    };
    shipped.iter().filter(is_bad).map(finding).collect()
}

/// Whether the SPDX expression can be met with allowed licences alone. `/` is how older packages write `OR`.
fn is_satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.any() == Some(true) && reader.words.is_empty()
}

/// Reads an expression from left to right: OR binds weaker than AND, a WITH belongs to the licence before it.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.skip("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.skip("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.skip("(") {
            let met = self.any()?;
            return self.skip(")").then_some(met);
        }
        let mut licence = self.next()?.to_owned();
        if self.skip("WITH") {
            licence = format!("{licence} WITH {}", self.next()?);
        }
        Some(self.allowed.contains(&licence))
    }

    fn next(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(expression: &str) -> bool {
        is_satisfied(expression, &["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()])
    }

    #[test]
    fn one_of_several_is_enough_and_all_of_several_are_needed() {
        assert!(is_met("MIT") && is_met("GPL-3.0-only OR MIT") && is_met("Unlicense/MIT") && is_met("MIT AND ISC"));
        assert!(!is_met("GPL-3.0-only") && !is_met("MIT AND GPL-3.0-only") && !is_met(""));
    }

    #[test]
    fn brackets_and_exceptions_are_read() {
        assert!(is_met("ISC AND (GPL-3.0-only OR MIT)"));
        assert!(!is_met("(ISC OR MIT) AND GPL-3.0-only"));
        assert!(is_met("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only"));
        assert!(!is_met("Apache-2.0"));
    }

    #[test]
    fn what_cannot_be_read_is_not_met() {
        for broken in ["MIT OR", "(MIT", "MIT)", "MIT ISC", "AND"] {
            assert!(!is_met(broken), "{broken}");
        }
    }
}

//! Adds up what every test program says of itself, for one true closing line.

use std::fmt;

/// Tests over all programs of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Passed.
    pub(crate) passed: u64,
    /// Failed; a program that ended before it gave a result counts as one.
    pub(crate) failed: u64,
    /// Left out by the tests themselves.
    pub(crate) skipped: u64,
    /// A program began and has given no result yet.
    is_open: bool,
}

impl Totals {
    /// Takes a line of cargo's output; what is no line of a summary changes nothing.
    pub(crate) fn take(&mut self, line: &str) {
        if is_begin(line) {
            self.close();
            self.is_open = true;
        } else if line.starts_with("test result: ") {
            self.passed += number_before(line, "passed").unwrap_or(0);
            self.failed += number_before(line, "failed").unwrap_or(0);
            self.skipped += number_before(line, "ignored").unwrap_or(0);
            self.is_open = false;
        }
    }

    /// The run is over; `is_success` is what cargo said. A failure that no summary tells of, such as a program that was killed,
    /// counts as one.
    pub(crate) fn finish(mut self, is_success: bool) -> Self {
        self.close();
        if !is_success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    fn close(&mut self) {
        if self.is_open {
            self.failed += 1;
            self.is_open = false;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// `running 3 tests`, as a test program begins.
fn is_begin(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("running ") else { return false };
    let Some((count, noun)) = rest.split_once(' ') else { return false };
    count.parse::<u64>().is_ok() && matches!(noun, "test" | "tests")
}

/// The number before `word`, as in `ok. 5 passed; 0 failed;`.
fn number_before(line: &str, word: &str) -> Option<u64> {
    let before = line.split(';').find_map(|part| part.trim_end().strip_suffix(word))?;
    before.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(output: &str, is_success: bool) -> String {
        let mut totals = Totals::default();
        for line in output.lines() {
            totals.take(line);
        }
        totals.finish(is_success).to_string()
    }

    const GREEN: &str = "running 2 tests\ntest a ... ok\ntest b ... ok\n\n\
        test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";

    #[test]
    fn all_programs_count() {
        assert_eq!(totals(&GREEN.repeat(3), true), "6 passed, 0 failed");
    }

    #[test]
    fn failures_and_skipped_ones_count() {
        let red = "running 3 tests\n\
            test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(totals(&format!("{red}{GREEN}"), false), "3 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn colours_do_not_hide_a_number() {
        let line = "test result: \u{1b}[32mok\u{1b}[0m. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(totals(line, true), "7 passed, 0 failed");
    }

    #[test]
    fn a_program_that_dies_counts_as_a_failure() {
        let dead = "running 5 tests\ntest a ... ok\n";
        assert_eq!(totals(&format!("{dead}{GREEN}"), false), "2 passed, 1 failed");
        assert_eq!(totals(&format!("{GREEN}{dead}"), false), "2 passed, 1 failed");
    }

    #[test]
    fn a_failure_that_nothing_tells_of_counts() {
        assert_eq!(totals(GREEN, false), "2 passed, 1 failed");
    }

    #[test]
    fn what_tests_print_is_no_summary() {
        assert_eq!(
            totals("running late tests\nrunning 3 tests of mine\n5 passed; 1 failed;\n", true),
            "0 passed, 0 failed"
        );
    }
}

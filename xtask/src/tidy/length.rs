//! A file has one subject (STYLE 6); one that is very long has more.

use super::Finding;
use super::tree::Tree;

/// Lines of a file. What is longer is split for meaning, or listed below with its reason.
const LINES_MAX: usize = 600;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] = &[("Cargo.lock", "cargo writes it"), ("fuzz/Cargo.lock", "cargo writes it")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let lines = file.text.lines().count();
        if lines > LINES_MAX && !LONGER.iter().any(|(path, _)| *path == file.path) {
            let says = format!(
                "has {lines} lines, more than {LINES_MAX}: split it by subject, or list it with a reason in xtask/src/tidy/length.rs"
            );
            findings.push(Finding::new(&file.path, says));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    #[test]
    fn a_long_file_is_found_unless_it_is_listed() {
        let (fits, long) = ("x\n".repeat(LINES_MAX), "x\n".repeat(LINES_MAX + 1));
        let found = check(&tree::of(&[("a.rs", &fits), ("b.rs", &long), ("Cargo.lock", &long)]));
        assert!(found.len() == 1 && found[0].place == "b.rs", "{found:?}");
    }
}

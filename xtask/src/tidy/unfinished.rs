//! Nothing is left undone or unrun: a test that is skipped looks like one that passes.

use super::Finding;
use super::tree::Tree;

/// A mark of something unfinished: (the end of the files it is looked for in, the mark, why). Spelled in two halves, or this
/// file would be the first finding.
const MARKS: &[(&str, &str, &str)] = &[
    (".rs", concat!("#[", "ignore"), "a test that does not run holds nothing; mend it or take it out"),
    (".rs", concat!("todo", "!("), "input from outside must not reach a panic (STYLE 5)"),
    (".rs", concat!("unimplemented", "!("), "input from outside must not reach a panic (STYLE 5)"),
    (".rs", concat!("dbg", "!("), "log lines have fields (STYLE 16)"),
    (".py", concat!("pytest.", "skip"), "a needed part that is missing fails, never skips"),
    (".py", concat!("pytest.mark.", "skip"), "a needed part that is missing fails, never skips"),
    (".py", concat!("unittest.", "skip"), "a needed part that is missing fails, never skips"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (_, mark, why) in MARKS.iter().filter(|(ending, ..)| file.ends(ending)) {
            let hits = file.lines().filter(|(_, line)| line.contains(mark));
            findings.extend(hits.map(|(line, _)| Finding::at(&file.path, line, format!("`{mark}`: {why}"))));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    #[test]
    fn every_mark_is_found_where_it_counts() {
        for (ending, mark, _) in MARKS {
            let text = format!("first\n    {mark} later\n");
            let found = check(&tree::of(&[(&format!("a{ending}"), &text), ("a.md", &text)]));
            assert!(found.iter().any(|finding| finding.place == format!("a{ending}:2")), "{mark}");
            assert!(found.iter().all(|finding| !finding.place.starts_with("a.md")), "{mark}");
        }
    }
}

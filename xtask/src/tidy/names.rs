//! Files and folders are named after their subject (STYLE 8).

use super::Finding;
use super::tree::Tree;

/// Names under which anything fits, so that everything ends up there.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let is_empty_name = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        EMPTY_NAMES.contains(&name.split('.').next().unwrap_or(name))
    };
    let says = "names no subject; call it after what it is about (STYLE 8)";
    tree.paths.iter().filter(is_empty_name).map(|path| Finding::new(path, says)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    #[test]
    fn names_without_a_subject_are_found() {
        let tree =
            tree::of(&[("api/src/utils.rs", ""), ("tests/src/helpers/send.rs", ""), ("core/src/commonality.rs", "")]);
        let found = check(&tree);
        let places: Vec<&str> = found.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["api/src/utils.rs", "tests/src/helpers"]);
    }
}

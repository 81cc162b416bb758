//! Every crate takes the workspace's lints: a crate without them would be held to nothing.

use serde::Deserialize;

use super::Finding;
use super::tree::Tree;
use crate::metadata::Member;

#[derive(Deserialize, Default)]
struct Manifest {
    #[serde(default)]
    lints: Lints,
}

#[derive(Deserialize, Default)]
struct Lints {
    #[serde(default)]
    workspace: bool,
}

pub(super) fn check(members: &[Member], tree: &Tree) -> Vec<Finding> {
    let manifests = members.iter().map(|member| format!("{}/Cargo.toml", member.folder));
    let is_without = |path: &String| !tree.file(path).is_some_and(|file| takes_lints(&file.text));
    let says = "lacks `[lints] workspace = true`: the lints in the root Cargo.toml hold for every crate";
    manifests.filter(is_without).map(|path| Finding::new(path, says)).collect()
}

fn takes_lints(manifest: &str) -> bool {
    toml::from_str::<Manifest>(manifest).is_ok_and(|manifest| manifest.lints.workspace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let member = |folder: &str| Member {
            name: folder.to_owned(),
            folder: folder.to_owned(),
            programs: Vec::new(),
            dependencies: Vec::new(),
        };
        let tree = tree::of(&[
            ("core/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"),
            ("port/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("api/Cargo.toml", "[lints]\nworkspace = false\n"),
        ]);
        let found = check(&[member("core"), member("port"), member("api")], &tree);
        let places: Vec<&str> = found.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["port/Cargo.toml", "api/Cargo.toml"]);
    }
}

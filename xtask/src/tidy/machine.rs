//! Nothing in the tree holds for one machine only, or says where packages come from.

use super::Finding;
use super::tree::Tree;

/// Folders of somebody's machine. In two halves, or this file would be the first finding.
const FOLDERS: &[&str] = &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "Users/")];

/// Hosts of package registries: which one serves is the business of each machine's own configuration.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("maven", ".org"),
    concat!("maven.apache", ".org"),
    concat!("registry", "-1.docker"),
];

/// Cargo writes its registry into its lock files.
const EXEMPT: &str = "Cargo.lock";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.ends(EXEMPT)) {
        for (number, line) in file.lines() {
            if let Some(folder) = FOLDERS.iter().find(|folder| has_folder(line, folder)) {
                let says = format!(
                    "`{folder}` is a path of some machine: say where it lies from the root, or ask the environment"
                );
                findings.push(Finding::at(&file.path, number, says));
            }
            if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
                let says = format!(
                    "`{host}` names a package registry: the machine's configuration says where packages come from"
                );
                findings.push(Finding::at(&file.path, number, says));
            }
        }
    }
    findings
}

/// Whether a path in the line begins with `folder`. Inside a longer path or an address it means something else.
fn has_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    fn findings(line: &str) -> usize {
        check(&tree::of(&[("a.rs", line)])).len()
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for folder in FOLDERS {
            assert_eq!(findings(&format!("open(\"{folder}x\")")), 1, "{folder}");
            assert_eq!(findings(&format!("{folder}x")), 1, "{folder}");
        }
    }

    #[test]
    fn parts_of_other_paths_are_not() {
        for folder in FOLDERS {
            assert_eq!(
                findings(&format!("https://example.org{folder}x and a{folder}b and ${{dir}}{folder}")),
                0,
                "{folder}"
            );
        }
    }

    #[test]
    fn registries_are_found_but_for_cargos_own_lock() {
        for host in REGISTRIES {
            assert_eq!(findings(&format!("https://{host}/x")), 1, "{host}");
            assert!(check(&tree::of(&[("fuzz/Cargo.lock", host)])).is_empty());
        }
    }
}

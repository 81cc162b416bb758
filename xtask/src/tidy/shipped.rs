//! What the program `talaria` is made of: no package that is banned, no switch that is for tests.
//!
//! Asked of `cargo tree`, not of `cargo metadata`: that one adds up features over the whole workspace, so that what only a test
//! client switches on would look shipped.

use anyhow::{Context, Result, ensure};

use super::Finding;
use super::policy::Ban;
use crate::program;
use crate::workspace::Workspace;

/// The package that is shipped.
const SHIPPED: &str = "talaria-server";

/// Features that are for tests: (package, feature, why).
const TEST_FEATURES: &[(&str, &str, &str)] = &[
    ("talaria-core", "rule-switches", "it lets a rule of delivery be switched off, which is for tests of the rules"),
    ("talaria-broker", "simulation", "it lets a loop run without the kernel, which is for tests and measurements"),
];

/// A package of the program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shipped {
    pub(super) name: String,
    pub(super) version: String,
    /// The SPDX expression; empty where the package says none.
    pub(super) licence: String,
    features: Vec<String>,
}

/// Asks cargo, for every platform.
pub(super) fn read(workspace: &Workspace) -> Result<Vec<Shipped>> {
    let mut tree = program::cargo(workspace);
    tree.args(["tree", "--package", SHIPPED, "--edges=normal,build", "--target=all", "--prefix=none"]);
    parse(&program::output(tree.args(["--format", "{p}|{l}|{f}"]))?)
}

/// Lines of `name v1.2.3 (path)|licence|feature,feature`, some with ` (*)` behind where they come again.
fn parse(printed: &str) -> Result<Vec<Shipped>> {
    let mut all = Vec::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.trim_end_matches(" (*)").split('|');
        let (package, licence, features) = (parts.next(), parts.next(), parts.next());
        let package = package.context("a line without a package")?;
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            anyhow::bail!("no package and version in `{line}`");
        };
        let features = features.unwrap_or_default().split(',').filter(|feature| !feature.is_empty());
        all.push(Shipped {
            name: name.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            licence: licence.unwrap_or_default().to_owned(),
            features: features.map(str::to_owned).collect(),
        });
    }
    ensure!(all.iter().any(|package| package.name == SHIPPED), "cargo tree does not list {SHIPPED}");
    all.sort();
    all.dedup();
    Ok(all)
}

pub(super) fn check(shipped: &[Shipped], banned: &[Ban]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in shipped {
        if let Some(ban) = banned.iter().find(|ban| ban.package == package.name) {
            findings.push(Finding::new(
                format!("{} {}", package.name, package.version),
                format!(
                    "is in {SHIPPED}: {}; find who brings it with: cargo tree -p {SHIPPED} -i {}",
                    ban.reason, ban.package
                ),
            ));
        }
        for (name, feature, why) in TEST_FEATURES {
            if package.name == *name && package.features.iter().any(|on| on == feature) {
                findings.push(Finding::new(*name, format!("{SHIPPED} has its feature {feature} on: {why}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "talaria-server v0.1.0 (/w/server)|Apache-2.0|\n\
        talaria-core v0.1.0 (/w/core)|Apache-2.0|default\n\
        ring v0.17.8|Apache-2.0 AND ISC|alloc,default\n\
        talaria-core v0.1.0 (/w/core)|Apache-2.0|default (*)\n";

    fn bans() -> Vec<Ban> {
        vec![Ban { package: "ring".to_owned(), reason: "one provider".to_owned() }]
    }

    #[test]
    fn a_banned_package_is_found_once_with_its_reason() {
        let found = check(&parse(TREE).unwrap(), &bans());
        assert_eq!(found.len(), 1);
        assert!(found[0].place == "ring 0.17.8" && found[0].says.contains("one provider"), "{found:?}");
    }

    #[test]
    fn a_switch_of_tests_is_found() {
        let tree = TREE.replace("|default", "|default,rule-switches").replace("ring v", "rinG v");
        let found = check(&parse(&tree).unwrap(), &bans());
        assert!(found.len() == 1 && found[0].says.contains("rule-switches"), "{found:?}");
    }

    #[test]
    fn packages_that_come_again_count_once() {
        assert_eq!(parse(TREE).unwrap().len(), 3);
    }

    #[test]
    fn a_tree_of_something_else_is_an_error() {
        assert!(parse("ring v0.17.8|ISC|\n").is_err());
    }
}

//! Arrows between crates point one way (DESIGN §8).
//!
//! What is shipped keeps to the arrows. Tests may name more: a backend and the contract suites, because a role is tested on the
//! memory store and a backend by its suite; never another role, which is met in `port` there too. `tests` and `bench`
//! stand above all roles and may name each: their simulations assemble them without the kernel.

use super::Finding;
use crate::metadata::{Dependency, Kind, Member};

/// A folder of crates and the folders that its crates may depend on.
struct Place {
    folder: &'static str,
    may_use: &'static [&'static str],
}

const ROLE: &[&str] = &["core", "port"];
const SERVER: &[&str] = &["core", "port", "broker", "bridge", "presence", "accounts", "push", "api", "storage/*"];
const ABOVE_SERVER: &[&str] =
    &["core", "port", "broker/codec", "broker", "bridge", "presence", "accounts", "push", "api", "server"];

/// The first that matches counts; `*` is one name.
const PLACES: &[Place] = &[
    Place { folder: "core", may_use: &[] },
    Place { folder: "port", may_use: &["core"] },
    Place { folder: "broker/codec", may_use: &[] },
    Place { folder: "broker", may_use: &["core", "port", "broker/codec"] },
    Place { folder: "bridge", may_use: ROLE },
    Place { folder: "presence", may_use: ROLE },
    Place { folder: "accounts", may_use: ROLE },
    Place { folder: "push", may_use: ROLE },
    Place { folder: "storage/contract", may_use: ROLE },
    Place { folder: "storage/*", may_use: ROLE },
    Place { folder: "api", may_use: &["core", "port", "accounts", "presence"] },
    Place { folder: "server", may_use: SERVER },
    Place { folder: "tests", may_use: ABOVE_SERVER },
    Place { folder: "bench", may_use: ABOVE_SERVER },
    Place { folder: "xtask", may_use: &[] },
];

/// What the tests of every crate may name as well.
const TESTS_MAY_USE: &str = "storage/*";

/// Suites are no part of what is shipped.
const SUITES: &str = "storage/contract";

pub(super) fn check(members: &[Member]) -> Vec<Finding> {
    members.iter().flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<Finding> {
    let Some(place) = PLACES.iter().find(|place| matches(place.folder, &member.folder)) else {
        let says =
            "this crate has no place in the arrows: give it one in xtask/src/tidy/arrows.rs, as DESIGN §8 draws them";
        return vec![Finding::new(&member.folder, says)];
    };
    let inside = member.dependencies.iter().filter_map(|wanted| Some((wanted, wanted.folder.as_deref()?)));
    let wrong = inside.filter(|(wanted, folder)| !may_use(member, place, wanted, folder));
    wrong.map(|(wanted, folder)| finding(member, place, wanted, folder)).collect()
}

fn may_use(member: &Member, place: &Place, wanted: &Dependency, folder: &str) -> bool {
    let is_shipped_use = wanted.kind != Kind::Dev;
    if is_shipped_use && folder == SUITES {
        return false;
    }
    let is_arrow = place.may_use.iter().any(|pattern| matches(pattern, folder));
    // A crate's tests name it again to switch a feature of it on.
    is_arrow || !is_shipped_use && (folder == member.folder || matches(TESTS_MAY_USE, folder))
}

fn finding(member: &Member, place: &Place, wanted: &Dependency, folder: &str) -> Finding {
    let allowed = if place.may_use.is_empty() { "nothing".to_owned() } else { place.may_use.join(", ") };
    let reason = if wanted.kind == Kind::Dev {
        "its tests may name those and storage/* only: roles meet in port"
    } else if folder.starts_with("storage/") {
        "only server names a concrete backend"
    } else {
        "roles meet in port, so that each can run and be read alone"
    };
    Finding::new(
        format!("{}/Cargo.toml", member.folder),
        format!("{} depends on {folder}; it may use: {allowed} ({reason}; DESIGN §8)", member.name),
    )
}

/// Whether `folder` is what `pattern` names.
fn matches(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(parent) => {
            folder.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| !name.contains('/'))
        }
        None => pattern == folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, dependencies: &[(&str, Kind)]) -> Member {
        let dependencies = dependencies.iter().map(|(folder, kind)| Dependency {
            name: folder.replace('/', "-"),
            kind: *kind,
            folder: Some((*folder).to_owned()),
        });
        Member {
            name: folder.replace('/', "-"),
            folder: folder.to_owned(),
            programs: Vec::new(),
            dependencies: dependencies.collect(),
        }
    }

    fn is_fine(folder: &str, wanted: &str, kind: Kind) -> bool {
        check(&[member(folder, &[(wanted, kind)])]).is_empty()
    }

    #[test]
    fn arrows_of_the_design_are_fine() {
        for (folder, wanted) in [
            ("port", "core"),
            ("broker", "broker/codec"),
            ("storage/fjall", "port"),
            ("api", "accounts"),
            ("server", "storage/sql"),
            ("server", "broker"),
            ("tests", "server"),
            ("bench", "broker/codec"),
        ] {
            assert!(is_fine(folder, wanted, Kind::Normal), "{folder} → {wanted}");
        }
    }

    #[test]
    fn roles_never_depend_on_each_other_not_even_in_tests() {
        let roles = ["broker", "bridge", "presence", "accounts", "push"];
        for role in roles {
            for other in roles.iter().filter(|other| **other != role) {
                for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
                    assert!(!is_fine(role, other, kind), "{role} → {other}");
                }
            }
        }
    }

    #[test]
    fn arrows_do_not_turn_round() {
        for (folder, wanted) in [("core", "port"), ("port", "broker"), ("broker/codec", "core"), ("api", "server")] {
            assert!(!is_fine(folder, wanted, Kind::Normal), "{folder} → {wanted}");
        }
    }

    #[test]
    fn only_server_names_a_backend_but_tests_may() {
        for folder in ["bridge", "api", "tests", "bench", "storage/sql"] {
            assert!(!is_fine(folder, "storage/memory", Kind::Normal), "{folder}");
            assert!(is_fine(folder, "storage/memory", Kind::Dev), "{folder}");
        }
    }

    #[test]
    fn tests_and_bench_stand_above_every_role_and_not_above_each_other() {
        for role in ["broker", "bridge", "accounts", "api", "server"] {
            assert!(is_fine("tests", role, Kind::Normal) && is_fine("bench", role, Kind::Normal), "{role}");
        }
        assert!(!is_fine("tests", "bench", Kind::Dev) && !is_fine("server", "tests", Kind::Dev));
    }

    #[test]
    fn suites_are_for_tests() {
        assert!(!is_fine("server", "storage/contract", Kind::Normal));
        assert!(is_fine("storage/fjall", "storage/contract", Kind::Dev));
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let found = check(&[member("helpers", &[])]);
        assert!(found.len() == 1 && found[0].says.contains("no place"), "{found:?}");
        assert_eq!(check(&[member("storage/fjall/inner", &[])]).len(), 1);
    }
}

//! Some packages of others belong into some crates only: where a driver, a runtime or a kind of IO is named is a decision.

use super::Finding;
use crate::metadata::{Kind, Member};

struct Home {
    packages: &'static [&'static str],
    /// Beginnings of folders.
    folders: &'static [&'static str],
    why: &'static str,
}

const HOMES: &[Home] = &[
    Home {
        packages: &["fjall"],
        folders: &["storage/fjall"],
        why: "a driver is its adapter's own business (DESIGN §5)",
    },
    Home { packages: &["sqlx"], folders: &["storage/sql"], why: "a driver is its adapter's own business (DESIGN §5)" },
    Home {
        packages: &["scylla"],
        folders: &["storage/cassandra"],
        why: "a driver is its adapter's own business (DESIGN §5)",
    },
    Home {
        packages: &["redis"],
        folders: &["storage/redis"],
        why: "a driver is its adapter's own business (DESIGN §5)",
    },
    Home {
        packages: &["tokio"],
        folders: &["bridge", "presence", "accounts", "push", "storage", "api", "server", "tests", "bench"],
        why: "values, seams and the edge know no runtime: a connection owns no task (DESIGN §4 \"Loops\")",
    },
    Home {
        packages: &["mio", "socket2"],
        folders: &["broker", "tests", "bench"],
        why: "sockets of clients belong to the broker's loops (DESIGN §4 \"Loops\")",
    },
    Home {
        packages: &["axum", "hyper", "tower-http", "utoipa"],
        folders: &["api", "server", "broker", "tests"],
        why: "HTTP is api's, and server merges what others export (DESIGN §8)",
    },
    Home {
        packages: &["anyhow"],
        folders: &["server", "tests", "bench", "xtask"],
        why: "a seam's error has a type that says whether to try again (STYLE 4)",
    },
];

pub(super) fn check(members: &[Member]) -> Vec<Finding> {
    members.iter().flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    for wanted in member.dependencies.iter().filter(|wanted| wanted.kind != Kind::Dev) {
        let home = HOMES.iter().find(|home| home.packages.contains(&wanted.name.as_str()));
        let Some(home) = home else { continue };
        if !home.folders.iter().any(|folder| is_below(folder, &member.folder)) {
            let says = format!(
                "{} depends on {}, which is for {} only: {}",
                member.name,
                wanted.name,
                home.folders.join(", "),
                home.why
            );
            findings.push(Finding::new(format!("{}/Cargo.toml", member.folder), says));
        }
    }
    findings
}

/// Whether `folder` is `home` or lies in it. The codec lies in the broker's folder and is a crate without IO.
fn is_below(home: &str, folder: &str) -> bool {
    let is_inside = folder.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_inside && !(home == "broker" && folder == "broker/codec")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn findings(folder: &str, package: &str, kind: Kind) -> usize {
        let dependencies = vec![Dependency { name: package.to_owned(), kind, folder: None }];
        check(&[Member { name: folder.to_owned(), folder: folder.to_owned(), programs: Vec::new(), dependencies }])
            .len()
    }

    #[test]
    fn drivers_stay_in_their_adapters() {
        assert_eq!(findings("storage/sql", "sqlx", Kind::Normal), 0);
        assert_eq!(findings("accounts", "sqlx", Kind::Normal), 1);
        assert_eq!(findings("server", "fjall", Kind::Normal), 1);
    }

    #[test]
    fn values_seams_codec_and_edge_know_no_runtime() {
        for folder in ["core", "port", "broker", "broker/codec"] {
            assert_eq!(findings(folder, "tokio", Kind::Normal), 1, "{folder}");
        }
        assert_eq!(findings("bridge", "tokio", Kind::Normal), 0);
    }

    #[test]
    fn the_codec_does_no_io() {
        assert_eq!(findings("broker/codec", "mio", Kind::Normal), 1);
        assert_eq!(findings("broker", "mio", Kind::Normal), 0);
    }

    #[test]
    fn tests_may_name_what_they_like() {
        assert_eq!(findings("core", "tokio", Kind::Dev), 0);
    }
}

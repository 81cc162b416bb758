//! `deny.toml`, so that this check and cargo-deny read the same lists.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::tree::Tree;

const FILE: &str = "deny.toml";

/// What may be shipped.
pub(super) struct Policy {
    /// Packages that may not.
    pub(super) banned: Vec<Ban>,
    /// SPDX names of licences that may.
    pub(super) licences: Vec<String>,
}

/// A package that may not be shipped.
#[derive(Deserialize)]
pub(super) struct Ban {
    /// Its name.
    #[serde(rename = "crate")]
    pub(super) package: String,
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Written {
    bans: Bans,
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

impl Policy {
    pub(super) fn read(tree: &Tree) -> Result<Self> {
        let file = tree.file(FILE).with_context(|| format!("{FILE} is missing"))?;
        Self::parse(&file.text)
    }

    fn parse(text: &str) -> Result<Self> {
        let written: Written = toml::from_str(text).with_context(|| format!("read {FILE}"))?;
        let (banned, licences) = (written.bans.deny, written.licenses.allow);
        ensure!(!banned.is_empty() && !licences.is_empty(), "{FILE} bans nothing or allows no licence");
        Ok(Self { banned, licences })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_and_licences_are_read_as_cargo_deny_writes_them() {
        let text = "[bans]\ndeny = [{ crate = \"ring\", reason = \"why\" }]\n[licenses]\nallow = [\"MIT\"]\n[graph]\nall-features = false";
        let policy = Policy::parse(text).unwrap();
        assert_eq!((policy.banned[0].package.as_str(), policy.licences[0].as_str()), ("ring", "MIT"));
    }

    #[test]
    fn a_policy_that_holds_nothing_is_no_policy() {
        assert!(Policy::parse("[bans]\ndeny = []\n[licenses]\nallow = [\"MIT\"]").is_err());
        assert!(Policy::parse("[licenses]\nallow = [\"MIT\"]").is_err());
    }
}

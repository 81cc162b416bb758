//! What cargo says of a workspace's packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// As in its manifest.
    pub(crate) name: String,
    /// Its folder from the root, with `/` between: `storage/fjall`.
    pub(crate) folder: String,
    /// Its programs.
    pub(crate) programs: Vec<String>,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line of a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name, also where the manifest gives it another.
    pub(crate) name: String,
    /// For what.
    pub(crate) kind: Kind,
    /// Where it lies from the root, if it lies in this workspace.
    pub(crate) folder: Option<String>,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is shipped.
    Normal,
    /// Build scripts.
    Build,
    /// Tests, examples and benchmarks.
    Dev,
}

/// Reads the members out of what `cargo metadata --no-deps` prints.
pub(crate) fn members(json: &str) -> Result<Vec<Member>> {
    let printed: Printed = serde_json::from_str(json).context("read what cargo metadata printed")?;
    let root = &printed.workspace_root;
    let mut members: Vec<Member> = printed.packages.into_iter().map(|package| package.into_member(root)).collect();
    members.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(members)
}

#[derive(Deserialize)]
struct Printed {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Wanted>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Wanted {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Package {
    fn into_member(self, root: &Path) -> Member {
        let folder = self.manifest_path.parent().map(|folder| below(root, folder)).unwrap_or_default();
        let programs = self.targets.into_iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        let dependencies = self.dependencies.into_iter().map(|wanted| wanted.into_dependency(root)).collect();
        Member { name: self.name, folder, programs: programs.map(|target| target.name).collect(), dependencies }
    }
}

impl Wanted {
    fn into_dependency(self, root: &Path) -> Dependency {
        let kind = match self.kind.as_deref() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        };
        Dependency { name: self.name, kind, folder: self.path.map(|path| below(root, &path)) }
    }
}

/// `path` from `root` on, with `/` between.
fn below(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_with_their_folders_programs_and_dependencies() {
        let json = r#"{
            "workspace_root": "/w",
            "packages": [{
                "name": "talaria-server", "manifest_path": "/w/server/Cargo.toml",
                "targets": [{"name": "talaria_server", "kind": ["lib"]}, {"name": "talaria", "kind": ["bin"]}],
                "dependencies": [
                    {"name": "talaria-storage-fjall", "kind": null, "path": "/w/storage/fjall"},
                    {"name": "serde", "kind": "dev"},
                    {"name": "cc", "kind": "build"}
                ]
            }]
        }"#;
        let dependency = |name: &str, kind, folder: Option<&str>| Dependency {
            name: name.to_owned(),
            kind,
            folder: folder.map(str::to_owned),
        };
        let expected = Member {
            name: "talaria-server".to_owned(),
            folder: "server".to_owned(),
            programs: vec!["talaria".to_owned()],
            dependencies: vec![
                dependency("talaria-storage-fjall", Kind::Normal, Some("storage/fjall")),
                dependency("serde", Kind::Dev, None),
                dependency("cc", Kind::Build, None),
            ],
        };
        assert_eq!(members(json).unwrap(), [expected]);
    }
}

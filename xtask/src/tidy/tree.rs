//! The files of the repository: what git has and what it would take.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;

use crate::program;
use crate::workspace::Workspace;

/// Text files with their contents, and the name of everything there is.
#[derive(Default)]
pub(super) struct Tree {
    /// In the order of their paths; files that are no UTF-8 are only in `paths`.
    pub(super) files: Vec<File>,
    /// Files and folders from the root, with `/` between.
    pub(super) paths: BTreeSet<String>,
}

/// A text file.
pub(super) struct File {
    /// From the root.
    pub(super) path: String,
    pub(super) text: String,
}

impl Tree {
    /// New files count too, so that a rule speaks before the commit and not after it.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut git = program::at_root(workspace, "git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = program::output(&mut git)?;
        let mut tree = Self::default();
        for path in listed.split_terminator('\0') {
            // One that was deleted and not yet committed is listed, and is not there.
            let Ok(bytes) = fs::read(workspace.root.join(path)) else { continue };
            tree.add(path, bytes);
        }
        Ok(tree)
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.paths.insert(path.to_owned());
        for (at, _) in path.match_indices('/') {
            self.paths.insert(path[..at].to_owned());
        }
        if let Ok(text) = String::from_utf8(bytes) {
            self.files.push(File { path: path.to_owned(), text });
        }
    }

    /// The file of that path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    /// Whether the name ends so, as in `.rs`.
    pub(super) fn ends(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// Lines with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

/// A tree of these files.
#[cfg(test)]
pub(super) fn of(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, text.as_bytes().to_vec());
    }
    tree
}

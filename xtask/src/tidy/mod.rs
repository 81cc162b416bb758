//! The layout check: what DESIGN §8 and STYLE ask for and no compiler holds. One file a rule; each finding says why.

mod arrows;
mod homes;
mod length;
mod licences;
mod links;
mod lints;
mod machine;
mod names;
mod policy;
mod shipped;
mod tree;
mod unfinished;

use std::fmt;

use anyhow::Result;

use crate::metadata::Member;
use crate::workspace::Workspace;
use policy::Policy;
use shipped::Shipped;
use tree::Tree;

/// What is looked at.
pub(crate) struct Checked {
    members: Vec<Member>,
    tree: Tree,
    shipped: Vec<Shipped>,
    policy: Policy,
}

impl Checked {
    /// Reads the workspace as git and cargo see it.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let tree = Tree::read(workspace)?;
        let policy = Policy::read(&tree)?;
        Ok(Self { members: workspace.members.clone(), tree, shipped: shipped::read(workspace)?, policy })
    }

    /// What breaks a rule, by rule.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let rules = [
            arrows::check(&self.members),
            homes::check(&self.members),
            shipped::check(&self.shipped, &self.policy.banned),
            licences::check(&self.shipped, &self.policy.licences),
            lints::check(&self.members, &self.tree),
            names::check(&self.tree),
            length::check(&self.tree),
            unfinished::check(&self.tree),
            machine::check(&self.tree),
            links::check(&self.tree),
        ];
        rules.into_iter().flatten().collect()
    }

    /// How much was looked at: a check of nothing would be no check.
    pub(crate) fn size(&self) -> String {
        let (files, members, shipped) = (self.tree.files.len(), self.members.len(), self.shipped.len());
        format!("{files} files, {members} crates and {shipped} shipped packages hold every rule")
    }
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A file, with its line where one is meant, or a package.
    place: String,
    /// What is wrong and why it matters.
    says: String,
}

impl Finding {
    fn new(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { place: place.into(), says: says.into() }
    }

    fn at(path: &str, line: usize, says: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), says)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.says)
    }
}

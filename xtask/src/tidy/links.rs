//! Links between documents lead somewhere: to a file that is there and, in a document, to a heading that is there.

use super::Finding;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files.iter().filter(|file| file.ends(".md"));
    documents.flat_map(|file| links(file).filter_map(|(line, link)| check_link(tree, file, line, link))).collect()
}

fn check_link(tree: &Tree, file: &File, line: usize, link: &str) -> Option<Finding> {
    // Addresses elsewhere cannot be tried without a network.
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let Some(target) = resolve(&file.path, path) else {
        return Some(Finding::at(&file.path, line, format!("`{link}` leads out of the repository")));
    };
    if !target.is_empty() && !tree.paths.contains(&target) {
        return Some(Finding::at(&file.path, line, format!("`{link}` leads nowhere: there is no {target}")));
    }
    let document = tree.file(&target).filter(|document| document.ends(".md") && !heading.is_empty())?;
    let is_there = headings(document).any(|there| anchor(there) == heading);
    (!is_there).then(|| Finding::at(&file.path, line, format!("`{link}`: {target} has no such heading")))
}

/// Targets of `[text](target)` with their lines, outside of code.
fn links(file: &File) -> impl Iterator<Item = (usize, &str)> {
    prose(file).flat_map(|(number, line)| {
        line.match_indices("](").filter_map(move |(at, opening)| {
            let is_code = line[..at].matches('`').count() % 2 == 1;
            let rest = &line[at + opening.len()..];
            let target = rest.split([')', ' ']).next()?;
            (!is_code && !target.is_empty()).then_some((number, target))
        })
    })
}

fn headings(file: &File) -> impl Iterator<Item = &str> {
    prose(file).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| line.trim_start_matches('#').trim())
}

/// Lines outside of fenced code.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    file.lines().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// A heading as links name it: lower case, blanks as dashes, other signs left out.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

/// Where `link` in the document `from` leads, from the root; an empty link stays in the document.
fn resolve(from: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree;

    fn findings(text: &str) -> Vec<Finding> {
        check(&tree::of(&[("docs/a.md", text), ("docs/b.md", "# The way of a message\n"), ("core/src/id.rs", "")]))
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "# Top\n[b](b.md) [way](b.md#the-way-of-a-message) [up](../core/src/id.rs) [folder](../core/src) [root](..)\n\
            [here](#top) [web](https://example.org/x.md)\n";
        assert_eq!(findings(text), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for link in ["c.md", "../core/src/no.rs", "b.md#no-such-heading", "#nor-here", "../../out.md"] {
            let found = findings(&format!("one\n[x]({link})\n"));
            assert!(found.len() == 1 && found[0].place == "docs/a.md:2", "{link}: {found:?}");
        }
    }

    #[test]
    fn code_is_not_read() {
        assert_eq!(findings("```\n[x](no.md)\n```\nand `[x](no.md)` too\n"), []);
    }
}

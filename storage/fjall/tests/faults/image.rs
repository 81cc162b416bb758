//! The files of a closed store, kept in memory, written out with one thing changed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Files by their path inside the store.
#[derive(Clone)]
pub(crate) struct Image(pub(crate) Vec<(PathBuf, Vec<u8>)>);

impl Image {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let mut bytes = std::fs::read(&path).unwrap();
                    if path.extension().is_some_and(|extension| extension == "jnl") {
                        // A journal is made 64 MiB long; the zeros say nothing, and would be written at each turn.
                        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1));
                    }
                    files.push((path.strip_prefix(folder).unwrap().to_owned(), bytes));
                }
            }
        }
        files.sort();
        Self(files)
    }

    /// Writes them to a new folder, in memory where the machine has such a file system: only the bytes matter here.
    pub(crate) fn write(&self) -> TempDir {
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
        for (path, bytes) in &self.0 {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// How many journals lie in the engine's folder.
    pub(crate) fn journals_in(folder: &Path) -> usize {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).count()
    }

    /// Which of the files are journals.
    pub(crate) fn journals(&self) -> Vec<usize> {
        let is_journal = |at: &usize| self.0[*at].0.extension().is_some_and(|extension| extension == "jnl");
        (0..self.0.len()).filter(is_journal).collect()
    }
}

/// Where each record of a journal begins: its tag. Read by the engine's own layout (`fjall` 3.1.13, `journal/entry.rs`).
pub(crate) fn record_tags(journal: &[u8]) -> Vec<usize> {
    let number = |at: usize, bytes: usize| {
        journal[at..at + bytes].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let (mut tags, mut at) = (Vec::new(), 0);
    while at < journal.len() {
        tags.push(at);
        at += match journal[at] {
            1 => 1 + 4 + 8,
            2 => 1 + 1 + 1 + 8 + 2 + 4 + 4 + number(at + 11, 2) + number(at + 17, 4),
            3 => 1 + 8 + 4,
            tag => panic!("tag {tag} at {at}"),
        };
    }
    tags
}

/// In a table or version file: where its table of contents says how many sections it has (`sfa` 1.0.0).
pub(crate) fn announced_count(file: &[u8]) -> Option<usize> {
    let trailer = file.len().checked_sub(38)?;
    let at = u64::from_le_bytes(file.get(trailer + 22..trailer + 30)?.try_into().ok()?);
    (file.get(trailer..trailer + 4)? == b"SFA!").then_some(at as usize + 4)
}

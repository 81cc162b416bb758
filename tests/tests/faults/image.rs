//! All files of a data folder that nobody uses, kept in memory, and written out for one run each with something changed.

use std::fs;
use std::path::{Path, PathBuf};

use talaria_tests::Home;
use tempfile::TempDir;

use crate::seed::Random;

#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) files: Vec<File>,
}

#[derive(Clone)]
pub(crate) struct File {
    /// Inside the data folder.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    pub(crate) fn of(data: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![data.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let mut bytes = fs::read(&path).unwrap();
                if is_journal(&path) {
                    // It is made 64 MiB long, and the zeros at its end say nothing.
                    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1));
                }
                files.push(File { path: path.strip_prefix(data).unwrap().to_owned(), bytes });
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self { files }
    }

    /// A home with these files, in memory where the machine has such a file system.
    pub(crate) fn home(&self) -> Home {
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { TempDir::new_in(shared) } else { TempDir::new() }.unwrap();
        let home = Home::in_folder(folder);
        for file in &self.files {
            let path = home.data().join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &file.bytes).unwrap();
        }
        home
    }

    pub(crate) fn journals(&self) -> Vec<usize> {
        (0..self.files.len()).filter(|at| is_journal(&self.files[*at].path)).collect()
    }
}

impl File {
    /// Flips one bit of a byte.
    pub(crate) fn flip(&mut self, at: usize, random: &mut Random) {
        self.bytes[at] ^= 1 << random.below(8);
    }
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jnl")
}

/// Where each record of a journal begins, which is where its tag is: 1 begins a batch, 2 is an item, 3 ends a batch. By the layout of
/// the engine (`fjall` 3.1.13, `journal/entry.rs`).
pub(crate) fn records(journal: &[u8]) -> Vec<usize> {
    let number = |at: usize, bytes: usize| {
        journal[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let (mut records, mut at) = (Vec::new(), 0);
    while at < journal.len() {
        records.push(at);
        at += match journal[at] {
            1 => 1 + 4 + 8,
            2 => 1 + 1 + 1 + 8 + 2 + 4 + 4 + number(at + 11, 2) + number(at + 17, 4),
            3 => 1 + 8 + 4,
            tag => panic!("tag {tag} at {at}"),
        };
    }
    records
}

//! The files of a folder, in memory.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// Names and bytes.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Image {
    /// All files as they are now; also while a process has them open and writes nothing, which is what its sudden death would leave.
    pub(crate) fn of(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let file = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        let mut files: Vec<_> = entries.map(file).collect();
        files.sort_unstable();
        Self { files }
    }

    pub(crate) fn lay_out(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    /// The place of a file.
    pub(crate) fn file(&self, name: &str) -> usize {
        self.files.iter().position(|(found, _)| found == name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Where these bytes are last: place in the file, and the file.
    pub(crate) fn find(&self, bytes: &[u8]) -> (usize, usize) {
        let in_file = |(file, (_, content)): (usize, &(String, Vec<u8>))| {
            let at = content.windows(bytes.len()).rposition(|window| window == bytes)?;
            Some((at, file))
        };
        self.files.iter().enumerate().rev().find_map(in_file).unwrap()
    }
}

//! A small file system in memory.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Unmounted when dropped.
pub(crate) struct Disk {
    at: TempDir,
}

impl Disk {
    pub(crate) fn mount(bytes: u64) -> Self {
        let at = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(at.path())
            .output();
        let mount = mount.expect("this test needs the command `mount`");
        let said = String::from_utf8_lossy(&mount.stderr);
        assert!(mount.status.success(), "this test must be allowed to mount a tmpfs (run it as root): {said}");
        Self { at }
    }

    /// Where the store lies.
    pub(crate) fn folder(&self) -> PathBuf {
        self.at.path().join("messages")
    }

    fn ballast(&self) -> PathBuf {
        self.at.path().join("ballast")
    }

    /// Takes that much room away.
    pub(crate) fn put_ballast(&self, bytes: u64) {
        File::create(self.ballast()).unwrap().write_all(&vec![1; bytes as usize]).unwrap();
    }

    pub(crate) fn remove_ballast(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let stat = rustix::fs::statvfs(self.at.path()).unwrap();
        stat.f_bavail * stat.f_frsize
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, for a failed test may still have files open.
        let _ = Command::new("umount").arg("--lazy").arg(self.at.path()).status();
    }
}

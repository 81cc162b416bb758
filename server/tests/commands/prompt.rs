//! The prompt for a password on a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::talaria::{Folder, PASSWORD};

/// A person at a terminal on which `user add` runs.
struct Terminal {
    person: File,
    program: File,
    child: Child,
    seen: String,
}

impl Terminal {
    fn run(folder: &Folder, handle: &str) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let side = || Stdio::from(program.try_clone().unwrap());
        let child = folder
            .command(&["user", "add", handle])
            .stdin(side())
            .stdout(Stdio::piped())
            .stderr(side())
            .spawn()
            .unwrap();
        Self { person: File::from(person), program, child, seen: String::new() }
    }

    /// Reads what the terminal shows until it shows `text`.
    fn await_text(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let mut bytes = [0; 256];
            let count = self.person.read(&mut bytes).unwrap();
            self.seen.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    fn is_shown(&self) -> bool {
        tcgetattr(&self.program).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn type_line(&mut self, text: &str) {
        assert!(!self.is_shown(), "what is typed would be shown");
        self.person.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    /// Whether it succeeded, and what it printed.
    fn end(mut self) -> (bool, String, String) {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let is_success = self.child.wait().unwrap().success();
        assert!(self.is_shown(), "the terminal is left as it was");
        // The mark lets the reading end.
        self.program.write_all(b"(end)").unwrap();
        self.await_text("(end)");
        (is_success, stdout, self.seen)
    }
}

#[test]
fn a_typed_password_is_never_shown_and_asked_for_twice() {
    let folder = Folder::new();
    let mut terminal = Terminal::run(&folder, "@kim");
    terminal.await_text("password for @kim: ");
    terminal.type_line(PASSWORD);
    terminal.await_text("the same again: ");
    terminal.type_line(PASSWORD);
    let (is_success, stdout, seen) = terminal.end();
    assert!(is_success && stdout.trim_end().parse::<u64>().is_ok(), "{stdout} {seen}");
    assert!(!seen.contains(PASSWORD), "{seen}");
    assert_eq!(seen.replace("\r\n", "\n"), "password for @kim: \nthe same again: \n(end)");
    assert!(folder.token("@kim").starts_with("tld_"));
}

#[test]
fn two_passwords_that_differ_make_nothing() {
    let folder = Folder::new();
    let mut terminal = Terminal::run(&folder, "@kim");
    terminal.await_text("password for @kim: ");
    terminal.type_line(PASSWORD);
    terminal.await_text("the same again: ");
    terminal.type_line("correct house");
    let (is_success, stdout, seen) = terminal.end();
    assert!(!is_success && stdout.is_empty() && seen.contains("the two passwords differ"), "{seen}");
    assert!(!folder.data().exists());
}

#[test]
fn a_bad_handle_is_told_before_anybody_types() {
    let folder = Folder::new();
    let (is_success, _, seen) = Terminal::run(&folder, "@Kim").end();
    assert!(!is_success && seen.contains("a handle is") && !seen.contains("password for"), "{seen}");
}

//! A data folder with its settings, and the program's commands on it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::variable;

/// The program under test.
const SERVER_VARIABLE: &str = "TALARIA_TEST_SERVER";

/// An account and a device token of it.
#[derive(Clone, Debug)]
pub struct Person {
    /// With its `@`.
    pub handle: String,
    /// Decimal.
    pub id: String,
    /// A device token.
    pub token: String,
}

/// A folder below the system's temporary one; removed at the end unless a test failed.
#[derive(Debug)]
pub struct Home {
    folder: Option<TempDir>,
    settings: Vec<(String, String)>,
    files: AtomicUsize,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// Empty, with loopback ports that the system chooses.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("talaria-test-").unwrap();
        Self::in_folder(folder)
    }

    /// The same in a folder of the caller's choice, as one on another file system.
    pub fn in_folder(folder: TempDir) -> Self {
        let home = Self { folder: Some(folder), settings: Vec::new(), files: AtomicUsize::new(0) };
        let data = home.data().display().to_string();
        home.with("TALARIA_DATA_DIR", &data)
            .with("TALARIA_LISTEN__MQTT", "127.0.0.1:0")
            .with("TALARIA_LISTEN__WS", "127.0.0.1:0")
            .with("TALARIA_LISTEN__HTTP", "127.0.0.1:0")
    }

    /// With a variable of the environment for every command from now on; the last one of a name counts.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where test files may lie, beside the data.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().map(TempDir::path).unwrap()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The program with the environment of this home; standard input is empty.
    pub fn command<Argument: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Argument>) -> Command {
        let mut command = Command::new(variable(SERVER_VARIABLE));
        // Nothing of the caller's environment decides a test.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"TALARIA_") {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end with that standard input.
    pub fn run<Argument: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Argument>, input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        // One that ends without reading its input has its reasons in the output.
        drop(written);
        output
    }

    /// Makes an account; the server may be running.
    pub fn person(&self, handle: &str) -> Person {
        self.people([handle]).remove(0)
    }

    /// Makes accounts in one go, in this order.
    pub fn people<'a>(&self, handles: impl IntoIterator<Item = &'a str>) -> Vec<Person> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let (list, tokens) =
            (self.folder().join(format!("people-{number}")), self.folder().join(format!("tokens-{number}")));
        let lines = handles
            .into_iter()
            .map(|handle| format!("{}\n", serde_json::json!({"handle": handle, "name": handle})))
            .collect::<String>();
        fs::write(&list, lines).unwrap();
        let arguments =
            [OsStr::new("user"), OsStr::new("import"), list.as_os_str(), OsStr::new("--tokens"), tokens.as_os_str()];
        let output = self.run(arguments, "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(&tokens).unwrap().lines().map(Person::of_line).collect()
    }
}

impl Person {
    /// A line of `talaria user import --tokens`.
    fn of_line(line: &str) -> Self {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap();
        Self { handle: next(), id: next(), token: next() }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("the data folder is kept: {}", folder.keep().display());
        }
    }
}

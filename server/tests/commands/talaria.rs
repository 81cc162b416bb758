//! The program on a data folder, and a server in this process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use talaria_core::EventId;
use talaria_core::id::COMMAND_WORKER;
use talaria_server::assemble::Server;
use talaria_server::config::{Config, Listen};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

/// A folder for data and files.
pub(crate) struct Folder(TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) is_success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A file with that text.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talaria"));
        command.args(arguments).env_clear().env("TALARIA_DATA_DIR", self.data());
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end with `input` on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.spawn(arguments);
        // One that does not read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { is_success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Adds a user; gives the id.
    pub(crate) fn add_user(&self, handle: &str) -> u64 {
        let ran = self.run(&["user", "add", handle], &format!("{PASSWORD}\n"));
        assert!(ran.is_success && ran.stderr.is_empty(), "{ran:?}");
        let id = ran.stdout.strip_suffix('\n').unwrap().parse().unwrap();
        assert_eq!(EventId(id).worker(), COMMAND_WORKER);
        id
    }

    /// A device token of a user.
    pub(crate) fn token(&self, user: &str) -> String {
        let ran = self.run(&["token", user, "--device", "phone"], "");
        assert!(ran.is_success && ran.stderr.is_empty(), "{ran:?}");
        ran.stdout.strip_suffix('\n').unwrap().to_owned()
    }

    /// A server on the data folder, on ports of its own.
    pub(crate) async fn serve(&self) -> Serving {
        let mut config = Config { data_dir: self.data(), loops: 1, ..Config::default() };
        let local = Listen(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        (config.listen.mqtt, config.listen.http, config.listen.ws) = (local, local, Listen(None));
        let server = Server::start(config).await.unwrap();
        Serving { address: server.http_address().unwrap(), server }
    }
}

/// A server that runs as long as this lives.
pub(crate) struct Serving {
    address: SocketAddr,
    server: Server,
}

impl Serving {
    /// Status and body of a request.
    pub(crate) fn request(&self, head: &str, token: Option<&str>, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = body.len();
        let rest = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
        write!(stream, "{head} HTTP/1.1\r\n{rest}{bearer}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }

    /// A connection on which that token was shown, and the return code of CONNACK (3.1.1 §3.2.2.3).
    pub(crate) fn connect(&self, handle: &str, token: &str) -> (TcpStream, u8) {
        let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
        // User name, password and clean session; keep-alive 60 s.
        let start = [text("MQTT"), vec![4, 0b1100_0010, 0, 60]].concat();
        let packet = [start, text("phone"), text(handle), text(token)].concat();
        let mut stream = TcpStream::connect(self.server.mqtt_addresses()[0]).unwrap();
        stream.write_all(&[&[0x10, u8::try_from(packet.len()).unwrap()], &packet[..]].concat()).unwrap();
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).unwrap();
        assert_eq!(connack[..2], [0x20, 2]);
        (stream, connack[3])
    }

    /// Who the server takes the bearer of a token for.
    pub(crate) fn who_is(&self, token: &str) -> Option<u64> {
        let (status, body) = self.request("GET /v1/me", Some(token), "");
        assert!(status == 200 || status == 401, "{status} {body}");
        (status == 200).then(|| body["id"].as_str().unwrap().parse().unwrap())
    }

    /// Signs up; gives the id.
    pub(crate) fn sign_up(&self, handle: &str) -> u64 {
        let body = serde_json::json!({"handle": handle, "password": PASSWORD}).to_string();
        let (status, body) = self.request("POST /v1/users", None, &body);
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().parse().unwrap()
    }

    /// The status of a log-in.
    pub(crate) fn log_in(&self, handle: &str) -> u16 {
        let body = serde_json::json!({"handle": handle, "password": PASSWORD, "device": "phone"}).to_string();
        self.request("POST /v1/tokens", None, &body).0
    }
}

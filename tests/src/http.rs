//! The API, one request a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::PATIENCE;
use crate::home::Person;
use crate::server::Server;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; null where there is none.
    pub json: Value,
}

impl Answer {
    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// It has another.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }
}

impl Server {
    /// GET as that person.
    pub fn get(&self, person: &Person, path: &str) -> Answer {
        request(self.http(), "GET", path, Some(&person.token), None)
    }

    /// POST as that person.
    pub fn post(&self, person: &Person, path: &str, body: &Value) -> Answer {
        request(self.http(), "POST", path, Some(&person.token), Some(body))
    }

    /// PUT as that person.
    pub fn put(&self, person: &Person, path: &str) -> Answer {
        request(self.http(), "PUT", path, Some(&person.token), None)
    }

    /// DELETE as that person.
    pub fn delete(&self, person: &Person, path: &str) -> Answer {
        request(self.http(), "DELETE", path, Some(&person.token), None)
    }

    /// A new channel's id.
    pub fn channel(&self, owner: &Person, members: &[&Person]) -> String {
        let members: Vec<&str> = members.iter().map(|person| person.id.as_str()).collect();
        let made = self.post(owner, "/v1/channels", &serde_json::json!({"name": "tea", "members": members})).is(201);
        made["id"].as_str().unwrap().to_owned()
    }
}

/// One request; the connection is closed after it.
///
/// # Panics
/// No answer, or none that is HTTP and JSON.
pub fn request(server: SocketAddr, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n");
    if let Some(token) = token {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        head += "Content-Type: application/json\r\n";
    }
    exchange(server, &head, body.as_bytes())
}

/// One request of that head, which ends with its last field's line and lacks the body's length.
///
/// # Panics
/// No answer, or none that is HTTP and JSON.
pub fn exchange(server: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "the body came in pieces: {head}");
    let json = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
    Answer { status: status.unwrap_or_else(|| panic!("no status: {head}")), json }
}

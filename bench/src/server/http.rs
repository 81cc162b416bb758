//! One HTTP request at a time, without a client library: JSON in, JSON out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Logging in hashes a password, the slowest thing asked for here.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Answers of a benchmark are small.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// POSTs `body` and returns the answer's JSON; an error for any status but 2xx.
pub(crate) fn post(server: SocketAddr, path: &str, bearer: Option<&str>, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let authorization = bearer.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         {authorization}Connection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(server, request.as_bytes()).with_context(|| format!("POST {path}"))?;
    let (status, body) = split_answer(&answer).with_context(|| format!("POST {path}: the answer is no HTTP"))?;
    if !(200..300).contains(&status) {
        bail!("POST {path}: {status} {body}");
    }
    serde_json::from_str(body).with_context(|| format!("POST {path}: the answer is no JSON"))
}

/// Whether GET on `path` answers 2xx.
pub(crate) fn is_ok(server: SocketAddr, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    exchange(server, request.as_bytes())
        .ok()
        .and_then(|answer| split_answer(&answer).map(|(status, _)| (200..300).contains(&status)))
        .unwrap_or(false)
}

fn exchange(server: SocketAddr, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(request)?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Status and body. The connection is closed after the answer, so the body is what follows the head.
fn split_answer(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use serde_json::json;

    use super::*;

    /// Answers one request with `answer` and hands back what was asked.
    fn answer_once(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let got = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request[..got].to_vec()).unwrap()
        });
        (address, served)
    }

    #[test]
    fn a_created_resource_is_returned() {
        let (address, served) = answer_once("HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{\"id\":\"5\"}");
        let answer = post(address, "/v1/channels", Some("tld_x"), &json!({"name": "n"})).unwrap();
        assert_eq!(answer, json!({"id": "5"}));
        let request = served.join().unwrap();
        assert!(request.contains("Authorization: Bearer tld_x\r\n"), "{request}");
        assert!(request.ends_with("{\"name\":\"n\"}"), "{request}");
    }

    #[test]
    fn a_refusal_is_an_error_with_its_reason() {
        let (address, served) = answer_once("HTTP/1.1 403 Forbidden\r\n\r\n{\"code\":\"not_a_member\"}");
        let error = post(address, "/v1/channels", None, &json!({})).unwrap_err();
        assert!(error.to_string().contains("403"), "{error}");
        assert!(error.to_string().contains("not_a_member"), "{error}");
        served.join().unwrap();
    }
}

//! The opening handshake of RFC 6455 section 4.2.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use httparse::{EMPTY_HEADER, Request, Status};

/// Bytes of a request's head. Beyond: 431. Browsers send cookies along; a few kilobytes are usual.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// The path of PROTOCOL "Ports and configuration".
const PATH: &str = "/mqtt";
/// Section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What an upgrade asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked<'a> {
    /// `Sec-WebSocket-Key`.
    key: Option<&'a str>,
    /// `Sec-WebSocket-Version`.
    version: Option<&'a str>,
    /// `Sec-WebSocket-Protocol`, in the client's order.
    protocols: Option<&'a str>,
    /// `Origin`: browsers send it, others do not.
    origin: Option<&'a str>,
    /// `Upgrade` and `Connection` name websocket.
    is_upgrade: bool,
}

/// What an upgrade is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Agreed {
    /// `Sec-WebSocket-Accept`.
    accept: String,
    /// `Sec-WebSocket-Protocol` (MQTT-6.0.0-3, MQTT-6.0.0-4).
    protocol: &'static str,
}

/// Why an upgrade is refused: an HTTP status and a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{says}")]
pub(crate) struct Refused {
    /// The status.
    status: u16,
    /// For people.
    says: &'static str,
}

const fn refused(status: u16, says: &'static str) -> Refused {
    Refused { status, says }
}

impl Asked<'_> {
    /// Checks it. `origins`: which origins browsers may come from; `None`: any, for a token is asked for and no cookie is looked at.
    ///
    /// # Errors
    /// It is no upgrade to MQTT, or its origin may not.
    fn agree(&self, origins: Option<&[String]>) -> Result<Agreed, Refused> {
        if !self.is_upgrade {
            return Err(refused(426, "this path speaks MQTT over WebSocket"));
        }
        if self.version != Some("13") {
            return Err(refused(426, "only version 13 of WebSocket is spoken"));
        }
        if let (Some(origins), Some(origin)) = (origins, self.origin)
            && !origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        {
            return Err(refused(403, "this origin may not connect"));
        }
        let key = self.key.filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
        let Some(key) = key else { return Err(refused(400, "the key of the handshake is not valid")) };
        let asked = self.protocols.unwrap_or_default().split(',').map(str::trim);
        let known = |asked: &str| ["mqtt", "mqttv3.1"].into_iter().find(|known| *known == asked);
        let Some(protocol) = asked.into_iter().find_map(known) else {
            return Err(refused(400, "the subprotocol must be mqtt"));
        };
        let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes()));
        Ok(Agreed { accept, protocol })
    }
}

/// Reads a head. `None`: it is not whole. `Ok`: how many bytes it takes, and what is answered.
pub(crate) fn read_head(head: &[u8], origins: Option<&[String]>) -> Option<Result<(usize, Agreed), Refused>> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    let bytes = match request.parse(head) {
        Ok(Status::Complete(bytes)) if bytes <= HEAD_BYTES_MAX => bytes,
        Ok(Status::Partial) if head.len() < HEAD_BYTES_MAX => return None,
        Ok(_) => return Some(Err(refused(431, "the head of the request is too large"))),
        Err(_) => return Some(Err(refused(400, "this is no HTTP request"))),
    };
    if request.method != Some("GET") {
        return Some(Err(refused(405, "only GET can be upgraded")));
    }
    let path = request.path.unwrap_or_default();
    if path.split('?').next() != Some(PATH) {
        return Some(Err(refused(404, "MQTT is spoken at /mqtt")));
    }
    Some(asked_of(&request).agree(origins).map(|agreed| (bytes, agreed)))
}

fn asked_of<'a>(request: &Request<'_, 'a>) -> Asked<'a> {
    let header = |name: &str| {
        let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let names = |name, word: &str| {
        header(name).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    Asked {
        key: header("Sec-WebSocket-Key"),
        version: header("Sec-WebSocket-Version"),
        protocols: header("Sec-WebSocket-Protocol"),
        origin: header("Origin"),
        is_upgrade: names("Upgrade", "websocket") && names("Connection", "upgrade"),
    }
}

/// The answer that opens the connection.
pub(crate) fn answer(agreed: &Agreed) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\
         Sec-WebSocket-Protocol: {}\r\n\r\n",
        agreed.accept, agreed.protocol
    )
    .into_bytes()
}

/// The answer that does not.
pub(crate) fn refusal(refused: Refused) -> Vec<u8> {
    let Refused { status, says } = refused;
    let version = if status == 426 { "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n" } else { "" };
    format!(
        "HTTP/1.1 {status} Refused\r\n{version}Connection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{says}",
        says.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, mqtt\r\n\
        Origin: https://chat.example\r\n\r\n";

    fn read(head: &str) -> Result<(usize, Agreed), u16> {
        let origins = ["https://chat.example".to_owned()];
        read_head(head.as_bytes(), Some(&origins)).unwrap().map_err(|refused| refused.status)
    }

    #[test]
    fn mqtt_6_0_0_4_the_subprotocol_is_chosen_and_the_key_is_answered() {
        let (bytes, agreed) = read(HEAD).unwrap();
        // The key and its answer are the example of section 1.3.
        assert_eq!(agreed, Agreed { accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into(), protocol: "mqtt" });
        assert_eq!(bytes, HEAD.len());
        assert!(read_head(&HEAD.as_bytes()[..HEAD.len() - 1], None).is_none());
        assert_eq!(read(&HEAD.replace("chat, mqtt", "mqttv3.1")).unwrap().1.protocol, "mqttv3.1");
        assert!(read(&HEAD.replace("Origin: https://chat.example\r\n", "")).is_ok());
        assert!(read(&HEAD.replace("/mqtt", "/mqtt?x=1")).is_ok());
    }

    #[test]
    fn what_is_no_upgrade_to_mqtt_is_refused_with_its_status() {
        for (from, to, status) in [
            ("GET", "POST", 405),
            ("/mqtt", "/", 404),
            ("WebSocket", "h2c", 426),
            ("keep-alive, Upgrade", "close", 426),
            ("Version: 13", "Version: 8", 426),
            ("chat, mqtt", "chat", 400),
            ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400),
            ("https://chat.example", "https://evil.example", 403),
            ("Host: a", "Host: \u{1}", 400),
        ] {
            assert_eq!(read(&HEAD.replace(from, to)).err(), Some(status), "{from} → {to}");
        }
        let endless = format!("GET /mqtt HTTP/1.1\r\nCookie: {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(read(&endless).err(), Some(431));
    }
}

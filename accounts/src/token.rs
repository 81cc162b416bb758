//! Tokens: HS256 JWTs under a ring of keys, and device tokens of which only the SHA-256 is kept.

use aws_lc_rs::{digest, rand};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use talaria_core::{Code, DeviceId, UserId};
use talaria_port::Refusal;
use talaria_port::accounts::SigningKey;

const DEVICE_PREFIX: &str = "tld_";
/// 256 bits in hexadecimal.
const DEVICE_SECRET_CHARS: usize = 64;

/// What an access token says; times in Unix seconds (RFC 7519 §4.1).
#[derive(Serialize, Deserialize, Clone, Copy)]
pub(crate) struct Claims {
    pub(crate) sub: UserId,
    pub(crate) did: DeviceId,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) ver: u32,
}

/// What a token turned out to be.
pub(crate) enum Opened {
    Access(Claims),
    Device([u8; 32]),
    UnknownKey,
    Worthless,
}

pub(crate) fn sign(key: &SigningKey, claims: &Claims) -> Result<String, Refusal> {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.clone());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key.secret)).map_err(|_| Code::Internal.into())
}

/// Opens a token with the ring. The algorithm is pinned: what the header says of it counts for nothing (RFC 8725 §3.1).
pub(crate) fn open(token: &[u8], ring: &[SigningKey], now_unix_ms: u64) -> Opened {
    let Ok(text) = std::str::from_utf8(token) else { return Opened::Worthless };
    if let Some(secret) = text.strip_prefix(DEVICE_PREFIX) {
        let whole =
            secret.len() == DEVICE_SECRET_CHARS && secret.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        return if whole { Opened::Device(sha256(token)) } else { Opened::Worthless };
    }
    let Ok(header) = jsonwebtoken::decode_header(text) else { return Opened::Worthless };
    let Some(kid) = header.kid.filter(|_| header.alg == Algorithm::HS256) else { return Opened::Worthless };
    let Some(key) = ring.iter().find(|key| key.id == kid) else { return Opened::UnknownKey };
    match jsonwebtoken::decode::<Claims>(text, &DecodingKey::from_secret(&key.secret), &validation()) {
        Ok(token) if token.claims.exp.saturating_mul(1000) > now_unix_ms => Opened::Access(token.claims),
        _ => Opened::Worthless,
    }
}

/// Expiry is held against the clock that came in, not the machine's.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub(crate) fn random() -> Result<[u8; 32], Refusal> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Refusal::from(Code::Internal))?;
    Ok(bytes)
}

/// A fresh device token and what is kept of it.
pub(crate) fn device_token() -> Result<(String, [u8; 32]), Refusal> {
    let token = format!("{DEVICE_PREFIX}{}", hex(&random()?));
    let kept = sha256(token.as_bytes());
    Ok((token, kept))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

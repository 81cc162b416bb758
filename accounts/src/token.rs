//! Tokens: HS256 JWTs under a ring of keys, and device tokens of which only the SHA-256 is kept.

use aws_lc_rs::{digest, rand};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use talaria_core::limits::TOKEN_BYTES_MAX;
use talaria_core::{Code, DeviceId, UserId};
use talaria_port::Refusal;
use talaria_port::signing_keys::SigningKey;

use crate::Secret;

const DEVICE_PREFIX: &str = "tld_";
/// 256 bits in hexadecimal.
const DEVICE_SECRET_CHARS: usize = 64;

/// What an access token says; times in Unix seconds (RFC 7519 §4.1).
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claims {
    pub(crate) sub: UserId,
    pub(crate) did: DeviceId,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) ver: u32,
}

/// What a token turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opened {
    Access(Claims),
    Device([u8; 32]),
    UnknownKey,
    Worthless,
}

/// Signing keys, newest first, ready for use.
#[derive(Default)]
pub(crate) struct Ring(Vec<Key>);

struct Key {
    id: String,
    created_unix_ms: u64,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Ring {
    pub(crate) fn new(keys: &[SigningKey]) -> Self {
        let key = |key: &SigningKey| Key {
            id: key.id.clone(),
            created_unix_ms: key.created_unix_ms,
            encoding: EncodingKey::from_secret(&key.secret),
            decoding: DecodingKey::from_secret(&key.secret),
        };
        Self(keys.iter().map(key).collect())
    }

    /// When the key that signs was made.
    pub(crate) fn newest_unix_ms(&self) -> Option<u64> {
        self.0.first().map(|newest| newest.created_unix_ms)
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<Secret, Refusal> {
        let newest = self.0.first().ok_or(Code::Internal)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(newest.id.clone());
        let token = jsonwebtoken::encode(&header, claims, &newest.encoding).map_err(|_| Code::Internal)?;
        Ok(Secret::new(token))
    }

    /// The algorithm is pinned: what the header says of it counts for nothing (RFC 8725 §3.1).
    pub(crate) fn open(&self, token: &[u8], now_unix_ms: u64) -> Opened {
        if token.len() > TOKEN_BYTES_MAX {
            return Opened::Worthless;
        }
        let Ok(text) = std::str::from_utf8(token) else { return Opened::Worthless };
        if let Some(secret) = text.strip_prefix(DEVICE_PREFIX) {
            let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_whole = secret.len() == DEVICE_SECRET_CHARS && secret.bytes().all(is_hex);
            return if is_whole { Opened::Device(sha256(token)) } else { Opened::Worthless };
        }
        let Ok(header) = jsonwebtoken::decode_header(text) else { return Opened::Worthless };
        let Some(kid) = header.kid else { return Opened::Worthless };
        let Some(key) = self.0.iter().find(|key| key.id == kid) else { return Opened::UnknownKey };
        match jsonwebtoken::decode::<Claims>(text, &key.decoding, &validation()) {
            Ok(token) if token.claims.exp.saturating_mul(1000) > now_unix_ms => Opened::Access(token.claims),
            _ => Opened::Worthless,
        }
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

pub(crate) fn new_key(created_unix_ms: u64) -> Result<SigningKey, Refusal> {
    let id = hex(&random()?).split_at(16).0.to_owned();
    Ok(SigningKey { id, secret: random()?, created_unix_ms })
}

/// A fresh device token and what is kept of it.
pub(crate) fn device_token() -> Result<(Secret, [u8; 32]), Refusal> {
    let token = format!("{DEVICE_PREFIX}{}", hex(&random()?));
    let kept = sha256(token.as_bytes());
    Ok((Secret::new(token), kept))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub(crate) fn random() -> Result<[u8; 32], Refusal> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Refusal::from(Code::Internal))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests;

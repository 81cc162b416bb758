use super::*;

const NOW_MS: u64 = 1_800_000_000_000;

fn key(byte: u8) -> SigningKey {
    SigningKey { id: format!("key {byte}"), secret: [byte; 32], created_unix_ms: u64::from(byte) }
}

fn claims() -> Claims {
    let (sub, did) = (UserId::new(7).unwrap(), DeviceId::new(9).unwrap());
    Claims { sub, did, iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 60, ver: 3 }
}

/// A token of a stranger's making: any header and key.
fn forged(header: &Header, secret: &[u8]) -> String {
    jsonwebtoken::encode(header, &claims(), &EncodingKey::from_secret(secret)).unwrap()
}

#[test]
fn the_newest_key_signs_and_every_key_of_the_ring_verifies() {
    let (old, new) = (Ring::new(&[key(1)]), Ring::new(&[key(2), key(1)]));
    let (of_old, of_new) = (old.sign(&claims()).unwrap(), new.sign(&claims()).unwrap());
    for token in [&of_old, &of_new] {
        assert_eq!(new.open(token.reveal().as_bytes(), NOW_MS), Opened::Access(claims()));
    }
    assert_eq!(old.open(of_new.reveal().as_bytes(), NOW_MS), Opened::UnknownKey);
    assert!(Ring::default().sign(&claims()).is_err());
}

#[test]
fn a_token_ends_on_the_second_by_the_clock_that_came_in() {
    let ring = Ring::new(&[key(1)]);
    let token = ring.sign(&claims()).unwrap();
    let open = |now_ms| ring.open(token.reveal().as_bytes(), now_ms);
    assert_eq!(open(NOW_MS + 59_999), Opened::Access(claims()));
    assert_eq!(open(NOW_MS + 60_000), Opened::Worthless);
}

#[test]
fn no_byte_of_a_token_can_be_changed_left_out_or_added() {
    let ring = Ring::new(&[key(1)]);
    let token = ring.sign(&claims()).unwrap().reveal().as_bytes().to_vec();
    for at in 0..token.len() {
        for byte in [b'A', b'.', b'_', 0, 0xFF] {
            let mut other = token.clone();
            other[at] = byte;
            if other != token {
                assert!(!matches!(ring.open(&other, NOW_MS), Opened::Access(_)), "{at} {byte}");
            }
        }
        assert!(!matches!(ring.open(&token[..at], NOW_MS), Opened::Access(_)), "prefix of {at}");
    }
    for tail in ["\0", " ", "\n", "=", "A", ".", ".A"] {
        assert!(!matches!(ring.open(&[&token, tail.as_bytes()].concat(), NOW_MS), Opened::Access(_)), "{tail:?}");
    }
}

#[test]
fn the_header_chooses_neither_algorithm_nor_key() {
    let ring = Ring::new(&[key(1)]);
    let with = |algorithm, kid: Option<&str>| {
        let mut header = Header::new(algorithm);
        header.kid = kid.map(Into::into);
        header
    };
    let good = forged(&with(Algorithm::HS256, Some("key 1")), &[1; 32]);
    assert_eq!(ring.open(good.as_bytes(), NOW_MS), Opened::Access(claims()), "the forger's tools work");
    for (header, secret) in [
        (with(Algorithm::HS256, Some("key 1")), [2; 32].as_slice()),
        (with(Algorithm::HS256, Some("key 1")), b"".as_slice()),
        (with(Algorithm::HS512, Some("key 1")), [1; 32].as_slice()),
        (with(Algorithm::HS384, Some("key 1")), [1; 32].as_slice()),
        (with(Algorithm::HS256, None), [1; 32].as_slice()),
    ] {
        assert_eq!(ring.open(forged(&header, secret).as_bytes(), NOW_MS), Opened::Worthless, "{header:?}");
    }
    let unsigned = |head: &str| format!("{head}.{}.", good.split('.').nth(1).unwrap());
    // {"alg":"none","kid":"key 1"} and the same with "None".
    for head in ["eyJhbGciOiJub25lIiwia2lkIjoia2V5IDEifQ", "eyJhbGciOiJOb25lIiwia2lkIjoia2V5IDEifQ"] {
        assert_eq!(ring.open(unsigned(head).as_bytes(), NOW_MS), Opened::Worthless);
    }
}

#[test]
fn a_device_token_is_known_by_its_hash_and_has_one_spelling() {
    let (token, kept) = device_token().unwrap();
    let (other, _) = device_token().unwrap();
    assert!(token != other);
    let ring = Ring::default();
    assert_eq!(ring.open(token.reveal().as_bytes(), 0), Opened::Device(kept));
    let text = token.reveal();
    assert_eq!(text.len(), 4 + 64);
    for bad in [
        text.to_uppercase(),
        format!("{text}\0"),
        format!("{text}0"),
        text[..text.len() - 1].to_owned(),
        text.replace("tld_", "tld-"),
        "tld_".to_owned(),
        format!("tld_{}", "g".repeat(64)),
    ] {
        assert_eq!(ring.open(bad.as_bytes(), 0), Opened::Worthless, "{bad}");
    }
}

#[test]
fn what_is_too_long_is_not_looked_at() {
    let ring = Ring::new(&[key(1)]);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("key 1".into());
    header.x5t = Some("a".repeat(TOKEN_BYTES_MAX));
    assert_eq!(ring.open(forged(&header, &[1; 32]).as_bytes(), NOW_MS), Opened::Worthless);
}

#[test]
fn hexadecimal_is_lower_case_with_two_digits_a_byte() {
    assert_eq!(hex(&[0, 9, 10, 0xF0, 0xFF]), "00090af0ff");
}

//! Bytes for tests: from hex, from a body, and the two ways through the codec.

use talaria_codec::{DecodeError, Direction, Frame, Packet, Rule, Version, decode, frame};

/// Every way a packet can be read.
pub(crate) const WAYS: [(Version, Direction); 4] = [
    (Version::V311, Direction::ToServer),
    (Version::V311, Direction::ToClient),
    (Version::V5, Direction::ToServer),
    (Version::V5, Direction::ToClient),
];

/// Bytes from hex digits; blanks mean nothing.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let others = text.chars().filter(|other| !other.is_ascii_hexdigit() && !other.is_whitespace()).count();
    assert!(others == 0 && digits.len() % 2 == 0, "no hex: {text}");
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Hex of bytes.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

/// A packet of a first byte and a body, with its length between them.
pub(crate) fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first_byte];
    packet.extend(var_int(body.len()));
    packet.extend(body);
    packet
}

/// A variable byte integer, written the way section 1.5.5 says it in pseudo-code.
pub(crate) fn var_int(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let digit = (value % 128) as u8;
        value /= 128;
        bytes.push(if value > 0 { digit | 128 } else { digit });
        if value == 0 {
            return bytes;
        }
    }
}

/// A string or binary data with its length.
pub(crate) fn field(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A property block with its length.
pub(crate) fn block(properties: &[u8]) -> Vec<u8> {
    [&*var_int(properties.len()), properties].concat()
}

/// A whole packet through [`frame`] and [`decode`], as a receiver would read it.
pub(crate) fn read(bytes: &[u8], version: Version, direction: Direction) -> Result<Packet<'_>, DecodeError> {
    match frame(bytes, usize::MAX)? {
        Frame::Complete { packet_bytes } if packet_bytes == bytes.len() => decode(bytes, version, direction),
        other => panic!("not one packet: {other:?} in {}", to_hex(bytes)),
    }
}

/// The rule by which a packet is refused.
#[track_caller]
pub(crate) fn refusal(bytes: &[u8], version: Version, direction: Direction) -> Rule {
    match read(bytes, version, direction) {
        Ok(packet) => panic!("accepted {packet:?} from {}", to_hex(bytes)),
        Err(error) => error.rule(),
    }
}

/// The bytes of a packet that can be written.
#[track_caller]
pub(crate) fn written(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).unwrap_or_else(|error| panic!("{error}: {packet:?}"));
    bytes
}

//! The few MQTT 3.1.1 packets that a load client needs, written and read by hand.
//!
//! Not the codec of the broker, on purpose: what measures the broker should not share its mistakes, and a publish
//! here is a prepared byte string of which two numbers are patched. Section numbers are those of MQTT 3.1.1.

use std::ops::Range;

/// What a payload begins with; the number behind it is what the receiver checks or takes the time from.
pub(crate) const MARKER: &[u8] = b"bench:";
/// Hexadecimal digits of that number.
const NUMBER_DIGITS: usize = 16;
/// Remaining lengths above this cannot be written (§2.2.3); a server that claims one is broken.
const REMAINING_LENGTH_BYTES_MAX: usize = 4;

/// A packet from the server, as far as the client looks into it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// CONNACK with its return code; 0 is success.
    ConnAck(u8),
    /// SUBACK of one filter: the granted QoS, or 0x80.
    SubAck(u8),
    /// PUBACK of a packet id.
    PubAck(u16),
    /// A delivery; `packet_id` is there for QoS 1.
    Publish {
        /// What to acknowledge with, none at QoS 0.
        packet_id: Option<u16>,
        /// The application's bytes.
        payload: &'a [u8],
    },
    /// Anything else, by its first byte.
    Other(u8),
}

/// Bytes that are no MQTT, or not what a server may send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// The first packet in `bytes` and its length, or nothing if it is not complete yet.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, Malformed> {
    let Some((body, end)) = body_range(bytes)? else {
        return Ok(None);
    };
    let (Some(&first), Some(body)) = (bytes.first(), bytes.get(body)) else {
        return Ok(None);
    };
    let packet = match first >> 4 {
        2 => Packet::ConnAck(*body.get(1).ok_or(Malformed("short CONNACK"))?),
        3 => read_publish(first, body)?,
        4 => Packet::PubAck(number_at(body, 0).ok_or(Malformed("short PUBACK"))?),
        9 => Packet::SubAck(*body.get(2).ok_or(Malformed("short SUBACK"))?),
        _ => Packet::Other(first),
    };
    Ok(Some((packet, end)))
}

fn read_publish(first: u8, body: &[u8]) -> Result<Packet<'_>, Malformed> {
    let topic_bytes = usize::from(number_at(body, 0).ok_or(Malformed("short PUBLISH"))?);
    let after_topic = 2 + topic_bytes;
    let (packet_id, payload_at) = if first & 0b0110 == 0 {
        (None, after_topic)
    } else {
        let id = number_at(body, after_topic).ok_or(Malformed("PUBLISH without packet id"))?;
        (Some(id), after_topic + 2)
    };
    let payload = body.get(payload_at..).ok_or(Malformed("short PUBLISH"))?;
    Ok(Packet::Publish { packet_id, payload })
}

/// Where the body of the first packet lies, and where the packet ends (§2.2.3).
fn body_range(bytes: &[u8]) -> Result<Option<(Range<usize>, usize)>, Malformed> {
    let mut length = 0_usize;
    for (at, &byte) in bytes.iter().skip(1).enumerate() {
        if at == REMAINING_LENGTH_BYTES_MAX {
            return Err(Malformed("remaining length of more than four bytes"));
        }
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let start = at + 2;
            let end = start + length;
            return Ok((bytes.len() >= end).then_some((start..end, end)));
        }
    }
    Ok(None)
}

fn number_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

/// CONNECT with a clean session (§3.1).
pub(crate) fn connect(client_id: &str, login: Option<(&str, &str)>, keep_alive_s: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    put_string(&mut body, "MQTT");
    body.push(4);
    body.push(if login.is_some() { 0b1100_0010 } else { 0b0000_0010 });
    body.extend_from_slice(&keep_alive_s.to_be_bytes());
    put_string(&mut body, client_id);
    if let Some((user, password)) = login {
        put_string(&mut body, user);
        put_string(&mut body, password);
    }
    packet(0x10, &body)
}

/// SUBSCRIBE to one filter at QoS 1 (§3.8).
pub(crate) fn subscribe(packet_id: u16, filter: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(filter.len() + 5);
    body.extend_from_slice(&packet_id.to_be_bytes());
    put_string(&mut body, filter);
    body.push(1);
    packet(0x82, &body)
}

/// PUBACK (§3.4), appended to `out`.
pub(crate) fn put_puback(out: &mut Vec<u8>, packet_id: u16) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[0x40, 2, high, low]);
}

/// A QoS 1 PUBLISH of which only packet id and number change from one to the next.
#[derive(Debug, Clone)]
pub(crate) struct PublishTemplate {
    bytes: Vec<u8>,
    packet_id_at: usize,
    number_at: usize,
}

impl PublishTemplate {
    /// `payload_bytes` is at least marker and number (22).
    pub(crate) fn new(topic: &str, payload_bytes: usize) -> Self {
        let mut body = Vec::with_capacity(topic.len() + payload_bytes + 4);
        put_string(&mut body, topic);
        let packet_id_in_body = body.len();
        body.extend_from_slice(&[0, 0]);
        let payload_in_body = body.len();
        body.extend_from_slice(MARKER);
        body.resize(payload_in_body + payload_bytes.max(MARKER.len() + NUMBER_DIGITS), b'x');
        let bytes = packet(0x32, &body);
        let header_bytes = bytes.len() - body.len();
        Self {
            packet_id_at: header_bytes + packet_id_in_body,
            number_at: header_bytes + payload_in_body + MARKER.len(),
            bytes,
        }
    }

    /// Appends the packet with this id and number to `out`.
    pub(crate) fn put(&self, out: &mut Vec<u8>, packet_id: u16, number: u64) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let packet_id_at = start + self.packet_id_at;
        out[packet_id_at..packet_id_at + 2].copy_from_slice(&packet_id.to_be_bytes());
        let number_at = start + self.number_at;
        for (digit, slot) in out[number_at..number_at + NUMBER_DIGITS].iter_mut().enumerate() {
            let shift = 4 * (NUMBER_DIGITS - 1 - digit);
            *slot = b"0123456789abcdef"[usize::from((number >> shift) as u8 & 0xf)];
        }
    }
}

/// Finds the number of a payload, wherever an envelope put the text.
///
/// Remembers where it was the last time: the envelopes of one run look alike, and searching each of them would be
/// most of the client's work.
#[derive(Debug, Default)]
pub(crate) struct NumberFinder {
    last_at: usize,
}

impl NumberFinder {
    /// The number behind the marker, or none if this payload is not ours.
    pub(crate) fn find(&mut self, payload: &[u8]) -> Option<u64> {
        if !payload.get(self.last_at..)?.starts_with(MARKER) {
            self.last_at = payload.windows(MARKER.len()).position(|part| part == MARKER)?;
        }
        let digits_at = self.last_at + MARKER.len();
        let digits = payload.get(digits_at..digits_at + NUMBER_DIGITS)?;
        digits.iter().try_fold(0_u64, |number, &digit| {
            let value = char::from(digit).to_digit(16)?;
            Some((number << 4) | u64::from(value))
        })
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    // Topics, names and tokens of a benchmark are short; a longer one would be cut rather than corrupt the packet.
    let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 5);
    out.push(first);
    let mut length = body.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_the_standards_bytes() {
        assert_eq!(
            connect("a", Some(("u", "p")), 60),
            b"\x10\x13\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a\x00\x01u\x00\x01p"
        );
        assert_eq!(connect("a", None, 0), b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a");
    }

    #[test]
    fn subscribe_is_the_standards_bytes() {
        assert_eq!(subscribe(7, "a/b"), b"\x82\x08\x00\x07\x00\x03a/b\x01");
    }

    #[test]
    fn a_published_number_is_found_again_wherever_it_stands() {
        let template = PublishTemplate::new("user/1/message", 128);
        let mut bytes = Vec::new();
        template.put(&mut bytes, 0x1234, 0x0123_4567_89ab_cdef);
        let (packet, used) = read(&bytes).unwrap().unwrap();
        assert_eq!(used, bytes.len());
        let Packet::Publish { packet_id, payload } = packet else {
            panic!("{packet:?}");
        };
        assert_eq!((packet_id, payload.len()), (Some(0x1234), 128));

        let mut finder = NumberFinder::default();
        assert_eq!(finder.find(payload), Some(0x0123_4567_89ab_cdef));
        let envelope = [br#"{"id":"1","text":""#, payload, br#""}"#].concat();
        assert_eq!(finder.find(&envelope), Some(0x0123_4567_89ab_cdef));
        assert_eq!(finder.find(payload), Some(0x0123_4567_89ab_cdef));
        assert_eq!(finder.find(b"hello"), None);
    }

    #[test]
    fn a_packet_cut_anywhere_waits_for_the_rest() {
        let mut bytes = Vec::new();
        PublishTemplate::new("t", 200).put(&mut bytes, 1, 2);
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
        assert!(read(b"\x30\xff\xff\xff\xff\x01").is_err());
    }

    #[test]
    fn acknowledgements_are_read_with_their_numbers() {
        assert_eq!(read(b"\x20\x02\x00\x05"), Ok(Some((Packet::ConnAck(5), 4))));
        assert_eq!(read(b"\x40\x02\x01\x02rest"), Ok(Some((Packet::PubAck(0x102), 4))));
        assert_eq!(read(b"\x90\x03\x00\x01\x80"), Ok(Some((Packet::SubAck(0x80), 5))));
        let mut out = Vec::new();
        put_puback(&mut out, 0x102);
        assert_eq!(out, b"\x40\x02\x01\x02");
    }
}

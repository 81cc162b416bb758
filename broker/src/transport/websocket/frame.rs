//! Frames of RFC 6455 section 5, from a client: headers are taken off and payloads unmasked in place, so that nothing is buffered but a
//! header that is not whole. MQTT sees one stream of bytes: its packets may span frames, and frames may hold many (MQTT-6.0.0-2).

/// Bytes of the longest header: two, eight of a long length, four of the mask.
const HEADER_BYTES_MAX: usize = 14;
/// Payload of a control frame (section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Binary, or the continuation of it.
    Data,
    Ping,
    Pong,
    Close,
}

/// Why a client's frames are refused, as a close code of section 7.4.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("websocket close code {0}")]
pub(crate) struct Refused(pub(crate) u16);

const PROTOCOL_ERROR: Refused = Refused(1002);
/// MQTT travels in binary frames only (MQTT-6.0.0-1).
const NOT_BINARY: Refused = Refused(1003);

/// What a client said beside its data.
#[derive(Default, Debug)]
pub(crate) struct Said {
    /// The payload of its last ping: only that one needs an answer (section 5.5.3).
    pub(crate) ping: Option<Vec<u8>>,
    /// It closes.
    pub(crate) is_closed: bool,
}

/// Reads a client's frames.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    /// The beginning of a header.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: u8,
    current: Option<Current>,
    /// A message is open, so that only continuations may follow (section 5.4).
    is_in_message: bool,
    control: Vec<u8>,
}

#[derive(Debug)]
struct Current {
    kind: Kind,
    left: u64,
    mask: [u8; 4],
    at: u8,
}

impl FrameReader {
    /// Takes frames apart: the payloads of data stand at the beginning of `bytes` afterwards; how many bytes they are.
    pub(crate) fn read(&mut self, bytes: &mut [u8], said: &mut Said) -> Result<usize, Refused> {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() && !said.is_closed {
            match &mut self.current {
                None => from += self.take_header(bytes.get(from..).unwrap_or_default(), said)?,
                Some(current) => {
                    let available = bytes.len() - from;
                    let taken = usize::try_from(current.left).unwrap_or(usize::MAX).min(available);
                    current.unmask(bytes.get_mut(from..from + taken).unwrap_or_default());
                    if current.kind == Kind::Data {
                        bytes.copy_within(from..from + taken, to);
                        to += taken;
                    } else {
                        self.control.extend_from_slice(bytes.get(from..from + taken).unwrap_or_default());
                    }
                    from += taken;
                    self.end_frame(said);
                }
            }
        }
        Ok(to)
    }

    /// Takes bytes of a header; how many.
    fn take_header(&mut self, bytes: &[u8], said: &mut Said) -> Result<usize, Refused> {
        let mut taken = 0;
        for byte in bytes {
            if let Some(place) = self.header.get_mut(usize::from(self.header_bytes)) {
                *place = *byte;
            }
            (taken, self.header_bytes) = (taken + 1, self.header_bytes + 1);
            let header = self.header.get(..usize::from(self.header_bytes)).unwrap_or_default();
            if let Some((first, length, mask)) = parse(header)? {
                self.header_bytes = 0;
                self.begin_frame(first, length, mask)?;
                self.end_frame(said);
                break;
            }
        }
        Ok(taken)
    }

    fn begin_frame(&mut self, first: u8, length: u64, mask: [u8; 4]) -> Result<(), Refused> {
        let is_final = first & 0x80 != 0;
        // No extension was agreed on, so that its bits are 0 (section 5.2).
        if first & 0x70 != 0 {
            return Err(PROTOCOL_ERROR);
        }
        let kind = match first & 0x0F {
            0 if self.is_in_message => Kind::Data,
            2 if !self.is_in_message => Kind::Data,
            1 => return Err(NOT_BINARY),
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            _ => return Err(PROTOCOL_ERROR),
        };
        if kind == Kind::Data {
            self.is_in_message = !is_final;
        } else if !is_final || length > CONTROL_BYTES_MAX {
            return Err(PROTOCOL_ERROR);
        }
        self.current = Some(Current { kind, left: length, mask, at: 0 });
        Ok(())
    }

    fn end_frame(&mut self, said: &mut Said) {
        let Some(Current { left: 0, kind, .. }) = self.current else { return };
        self.current = None;
        let control = std::mem::take(&mut self.control);
        match kind {
            Kind::Data | Kind::Pong => {}
            Kind::Ping => said.ping = Some(control),
            Kind::Close => said.is_closed = true,
        }
    }
}

impl Current {
    fn unmask(&mut self, bytes: &mut [u8]) {
        let mut mask = self.mask;
        mask.rotate_left(usize::from(self.at));
        for chunk in bytes.chunks_mut(4) {
            for (byte, key) in chunk.iter_mut().zip(mask) {
                *byte ^= key;
            }
        }
        self.left -= bytes.len() as u64;
        self.at = ((usize::from(self.at) + bytes.len()) % 4) as u8;
    }
}

/// First byte, payload length and mask of a whole header; `None` where it is not whole.
fn parse(header: &[u8]) -> Result<Option<(u8, u64, [u8; 4])>, Refused> {
    let &[first, second, ..] = header else { return Ok(None) };
    // A client masks every frame (section 5.1).
    if second & 0x80 == 0 {
        return Err(PROTOCOL_ERROR);
    }
    let rest = header.get(2..).unwrap_or_default();
    let (length, mask) = match second & 0x7F {
        126 => {
            let Some((length, mask)) = rest.split_first_chunk::<2>() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*length)), mask)
        }
        127 => {
            let Some((length, mask)) = rest.split_first_chunk::<8>() else { return Ok(None) };
            (u64::from_be_bytes(*length), mask)
        }
        short => (u64::from(short), rest),
    };
    if length >> 63 != 0 {
        return Err(PROTOCOL_ERROR);
    }
    Ok(mask.first_chunk::<4>().map(|mask| (first, length, *mask)))
}

/// The header of a frame from the server: final, not masked.
pub(crate) fn put_header(out: &mut Vec<u8>, opcode: u8, payload_bytes: usize) {
    out.push(0x80 | opcode);
    match payload_bytes {
        0..=125 => out.push(payload_bytes as u8),
        126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(payload_bytes as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
}

/// Opcodes of section 5.2 that the server sends.
pub(crate) const BINARY: u8 = 2;
/// Section 5.5.1.
pub(crate) const CLOSE: u8 = 8;
/// Section 5.5.3.
pub(crate) const PONG: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_header(&mut out, 0, payload.len());
        out[0] = first;
        out[1] |= 0x80;
        let mask = [7, 200, 13, 99];
        out.extend_from_slice(&mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }

    fn read(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Said), Refused> {
        let (mut reader, mut said, mut data) = (FrameReader::default(), Said::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            let mut piece = piece.to_vec();
            let taken = reader.read(&mut piece, &mut said)?;
            data.extend_from_slice(&piece[..taken]);
        }
        Ok((data, said))
    }

    #[test]
    fn mqtt_6_0_0_2_packets_may_span_frames_and_frames_may_hold_many_however_they_arrive() {
        let long: Vec<u8> = (0..70_000_u32).map(|n| n as u8).collect();
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (first, payload) in [(0x02, &b"abc"[..]), (0x00, b""), (0x80, b"de"), (0x82, &long[..300]), (0x82, &long)] {
            bytes.extend(frame(first, payload));
            bytes.extend(frame(0x89, b"are you there"));
            expected.extend_from_slice(payload);
        }
        for piece in [1, 2, 3, 7, 64, 1 << 20] {
            let (data, said) = read(&bytes, piece).unwrap();
            assert!(data == expected, "in pieces of {piece}");
            assert_eq!(said.ping.as_deref(), Some(&b"are you there"[..]));
        }
    }

    #[test]
    fn mqtt_6_0_0_1_text_is_refused_and_so_is_what_the_rfc_forbids() {
        let mut unmasked = frame(0x82, b"abc");
        unmasked[1] &= 0x7F;
        let mut endless = frame(0x82, b"");
        endless.splice(1..2, [0x80 | 127, 255, 255, 255, 255, 255, 255, 255, 255]);
        for (bytes, code) in [
            (frame(0x81, b"abc"), 1003),
            (unmasked, 1002),
            (frame(0xC2, b"abc"), 1002),
            (frame(0x83, b"abc"), 1002),
            (frame(0x80, b"abc"), 1002),
            ([frame(0x02, b"abc"), frame(0x82, b"abc")].concat(), 1002),
            (frame(0x09, b"abc"), 1002),
            (frame(0x89, &[0; 126]), 1002),
            (endless, 1002),
        ] {
            assert_eq!(read(&bytes, 3).err(), Some(Refused(code)), "{bytes:?}");
        }
    }

    #[test]
    fn nothing_is_read_behind_a_close() {
        let bytes = [frame(0x82, b"abc"), frame(0x88, &[3, 232]), frame(0x82, b"def")].concat();
        let (data, said) = read(&bytes, 1 << 20).unwrap();
        assert_eq!((data.as_slice(), said.is_closed), (&b"abc"[..], true));
    }
}

//! MQTT over WebSocket (MQTT 5.0 section 6) as a layer over another transport. Bytes go through without being gathered into messages, so
//! that an idle connection holds a header's worth and nothing else, and endless fragments are no more than bytes.

pub(crate) mod frame;
mod handshake;

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use self::frame::{BINARY, CLOSE, FrameReader, PONG, Said};
use super::{Ready, Transport};

/// Browsers that may connect; `None`: all.
pub(crate) type Origins = Option<Arc<[String]>>;

/// A WebSocket over `T`.
pub(crate) struct WebSocket<T> {
    under: T,
    state: State,
    frames: FrameReader,
    /// Headers and control frames that are not written yet; they go before payload.
    pending: Vec<u8>,
    /// Payload bytes that the frame whose header was written still wants.
    owed_bytes: usize,
    is_closed: bool,
}

enum State {
    /// The head of the request so far.
    Opening(Vec<u8>, Origins),
    Open,
    /// It was refused or failed: what is pending goes out, nothing is read.
    Failed,
}

impl<T: Transport> WebSocket<T> {
    /// One whose opening handshake is still to come.
    pub(crate) fn opening(under: T, origins: Origins) -> Self {
        Self {
            under,
            state: State::Opening(Vec::new(), origins),
            frames: FrameReader::default(),
            pending: Vec::new(),
            owed_bytes: 0,
            is_closed: false,
        }
    }

    /// Takes the head of the request; how many bytes of frames are left at the beginning of `bytes`.
    fn take_head(&mut self, bytes: &mut [u8], len: usize) -> Result<usize> {
        let State::Opening(head, origins) = &mut self.state else { return Ok(len) };
        let before = head.len();
        head.extend_from_slice(bytes.get(..len).unwrap_or_default());
        let (answer, taken) = match handshake::read_head(head, origins.as_deref()) {
            None => return Ok(0),
            Some(Ok((head_bytes, agreed))) => (handshake::answer(&agreed), Some(head_bytes)),
            Some(Err(refused)) => (handshake::refusal(refused), None),
        };
        self.pending = answer;
        self.state = if taken.is_some() { State::Open } else { State::Failed };
        self.flush()?;
        let Some(head_bytes) = taken else { return self.fail() };
        let used = head_bytes.saturating_sub(before).min(len);
        bytes.copy_within(used..len, 0);
        Ok(len - used)
    }

    fn fail<R>(&mut self) -> Result<R> {
        self.state = State::Failed;
        self.under.end_output();
        Err(Error::new(ErrorKind::InvalidData, "websocket"))
    }

    fn put_control(&mut self, opcode: u8, payload: &[u8]) {
        // Behind the payload of a frame that is half written it would be taken for payload. And a client that pings without reading
        // gets no second pong while the first is unwritten (section 5.5.3), or they would pile up.
        if self.owed_bytes == 0 && (opcode != PONG || self.pending.is_empty()) {
            frame::put_header(&mut self.pending, opcode, payload.len());
            self.pending.extend_from_slice(payload);
        }
    }

    /// Writes what goes before payload; whether all of it went.
    fn flush(&mut self) -> Result<bool> {
        if !self.pending.is_empty() {
            let written = self.under.write(&self.pending)?;
            self.pending.drain(..written);
        }
        Ok(self.pending.is_empty())
    }

    fn take_frames(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let mut said = Said::default();
        let taken = match self.frames.read(bytes, &mut said) {
            Ok(taken) => taken,
            Err(refused) => {
                self.put_control(CLOSE, &refused.0.to_be_bytes());
                self.flush()?;
                return self.fail();
            }
        };
        if let Some(ping) = said.ping {
            self.put_control(PONG, &ping);
        }
        if said.is_closed {
            self.is_closed = true;
            self.put_control(CLOSE, &1000_u16.to_be_bytes());
        }
        self.flush()?;
        Ok(taken)
    }
}

impl<T: Transport> Transport for WebSocket<T> {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        if self.is_closed {
            return Ok(Some(0));
        }
        let len = match self.under.read(into)? {
            Some(0) => return Ok(Some(0)),
            None => return Ok(None),
            Some(len) => len,
        };
        let len = self.take_head(into, len)?;
        let taken = self.take_frames(into.get_mut(..len).unwrap_or_default())?;
        // Control frames alone are nothing for the connection, and no reason to read on: a flood of them would hold the loop.
        Ok((taken > 0).then_some(taken))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if matches!(self.state, State::Opening(..)) || !self.flush()? {
            return Ok(0);
        }
        let mut written = 0;
        if self.owed_bytes == 0 && !bytes.is_empty() {
            // Header and payload in one call of the kernel.
            let mut framed = Vec::with_capacity(bytes.len() + 10);
            frame::put_header(&mut framed, BINARY, bytes.len());
            let header_bytes = framed.len();
            framed.extend_from_slice(bytes);
            let sent = self.under.write(&framed)?;
            self.pending.extend_from_slice(framed.get(sent..header_bytes).unwrap_or_default());
            written = sent.saturating_sub(header_bytes);
            self.owed_bytes = bytes.len() - written;
        } else {
            let rest = bytes.get(..self.owed_bytes.min(bytes.len())).unwrap_or_default();
            written += self.under.write(rest)?;
            self.owed_bytes -= written;
        }
        Ok(written)
    }

    fn on_ready(&mut self, ready: Ready) {
        self.under.on_ready(ready);
    }

    fn is_readable(&self) -> bool {
        self.is_closed || self.under.is_readable()
    }

    fn end_output(&mut self) {
        if matches!(self.state, State::Open) {
            self.put_control(CLOSE, &1000_u16.to_be_bytes());
            // The peer may be gone; then nobody misses it.
            let _ = self.flush();
        }
        self.under.end_output();
    }
}

//! What is on disk stays readable: each sample was written by the version in its name, and is never changed.
//!
//! A new version of a row adds samples; the old ones stay.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use talaria_core::{ChannelId, ConversationId, Event, EventId, EventKind, Origin, Seq, UserId};
use talaria_port::messages::{Checkpoint, Fingerprint, Remembered, Window};
use talaria_port::sessions::{Mark, Position, SessionKey, SessionRow};

use super::number::{Reach, RoundRow};
use super::{checkpoint, event, key, number, session};

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn dm() -> ConversationId {
    ConversationId::dm(user(1), user(0x0203))
}

fn channel() -> ConversationId {
    ConversationId::Channel(ChannelId::new(7).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The value is written as the newest sample, and every sample is read as the value.
fn check<T: PartialEq + Debug>(
    value: &T,
    put: impl Fn(&mut Vec<u8>),
    read: impl Fn(&[u8]) -> Option<T>,
    samples: &[&str],
) {
    let mut written = Vec::new();
    put(&mut written);
    assert_eq!(hex(&written), *samples.last().unwrap());
    for sample in samples {
        assert_eq!(read(&unhex(sample)).as_ref(), Some(value));
        is_damaged_without_a_panic(&unhex(sample), &read);
    }
}

/// Cut anywhere it is no row; changed anywhere it is none, or another one.
fn is_damaged_without_a_panic<T: PartialEq + Debug>(sample: &[u8], read: &impl Fn(&[u8]) -> Option<T>) {
    for length in 0..sample.len() {
        assert_eq!(read(&sample[..length]), None, "cut at {length}");
    }
    for at in 0..sample.len() {
        for bit in 0..8 {
            let mut bytes = sample.to_vec();
            bytes[at] ^= 1 << bit;
            let _ = read(&bytes);
        }
    }
    assert_eq!(read(&[sample, &[0]].concat()), None, "one byte more");
}

#[test]
fn event_rows_are_as_they_were() {
    let of = |seq: u64, id: u64, prev_id: u64, messages: u64, epoch: u32, kind: EventKind| Event {
        conversation: dm(),
        seq: Seq(seq),
        id: EventId(id),
        prev_id: EventId(prev_id),
        messages,
        epoch,
        from: user(0x0203),
        kind,
        key: None,
        origin: None,
        body: Bytes::new(),
    };
    let origin = Origin { client: 0x1112_1314_1516_1718, packet_id: 0x2122, payload: 0x3132_3334_3536_3738 };
    let events = vec![
        Event {
            body: Bytes::from_static(b"\"text\":\"a\""),
            ..of(7, 5_000_000_000, 4_999_999_000, 5, 1, EventKind::Message)
        },
        Event { key: Some("k1".into()), ..of(8, 5_000_000_100, 5_000_000_000, 6, 1, EventKind::Message) },
        Event { origin: Some(origin), ..of(9, 5_000_000_300, 5_000_000_100, 6, 1, EventKind::MemberLeft) },
        // What does not follow from the event before is written out.
        of(10, 5_000_000_400, 5, 99, 2, EventKind::Message),
    ];
    let shared: Vec<Arc<Event>> = events.iter().cloned().map(Arc::new).collect();
    let read = |value: &[u8]| {
        let extent = event::extent(value, Seq(10))?;
        let ids = event::ids(value, extent)?;
        let read = event::events(value, dm(), extent, Seq(0))?;
        assert_eq!(ids, read.iter().map(|event| (event.seq, event.id)).collect::<Vec<_>>());
        Some(read)
    };
    check(
        &events,
        |out| event::put(out, &shared),
        read,
        &[
            "010498dc97d01204010001e80783040a2274657874223a2261220101648304026b31000204c8018304181716151413121122213837363534333231001c0164830405630200",
        ],
    );
    let row = {
        let mut row = Vec::new();
        event::put(&mut row, &shared);
        row
    };
    let extent = event::extent(&row, Seq(10)).unwrap();
    assert_eq!((extent.first, extent.last), (Seq(7), Seq(10)));
    assert_eq!(event::events(&row, dm(), extent, Seq(9)).unwrap(), events[2..]);
}

#[test]
fn checkpoints_are_as_they_were() {
    let remembered = vec![
        Remembered {
            sender: user(1),
            fingerprint: Fingerprint::Key(0x0102_0304_0506_0708),
            seq: Seq(3),
            id: EventId(100),
        },
        Remembered {
            sender: user(0x0203),
            fingerprint: Fingerprint::Origin(Origin { client: 1, packet_id: 2, payload: 3 }),
            seq: Seq(4),
            id: EventId(400),
        },
    ];
    let value = Checkpoint { conversation: dm(), seq: Seq(4), id: EventId(400), messages: 3, epoch: 1, remembered };
    let read = |bytes: &[u8]| checkpoint::read(bytes, dm());
    check(
        &value,
        |out| checkpoint::put(out, &value),
        read,
        &[
            "01040000000000000090010000000000000301020100080706050403020101ac028304010100000000000000020003000000000000000000",
        ],
    );
    assert_eq!(
        checkpoint::seq(&unhex(
            "01040000000000000090010000000000000301020100080706050403020101ac028304010100000000000000020003000000000000000000"
        )),
        Some(Seq(4))
    );
}

#[test]
fn session_rows_are_as_they_were() {
    let subscriptions = vec![("dm/+/in".into(), 1), ("channel/7/#".into(), 0x2a)];
    let value = SessionRow { generation: 0x0102_0304_0506_0708, expiry_s: 86_400, subscriptions };
    check(
        &value,
        |out| session::put_row(out, &value),
        session::read_row,
        &["01080706050403020180a3050207646d2f2b2f696e010b6368616e6e656c2f372f232a"],
    );
    assert_eq!(
        session::generation(&unhex("01080706050403020180a3050207646d2f2b2f696e010b6368616e6e656c2f372f232a")),
        Some(value.generation)
    );
}

#[test]
fn marks_are_as_they_were() {
    let value = Mark {
        generation: 0x0102_0304_0506_0708,
        write: 3,
        settled: EventId(5_000_000_000),
        behind: vec![(dm(), Position::At(Seq(9), EventId(300))), (channel(), Position::After(EventId(200)))],
        ahead: vec![(channel(), Seq(2), EventId(6_000_000_000))],
        packet_id: 0x0a0b,
        unreleased: vec![1, 0xffff],
        at_unix_ms: 1_800_000_000_000,
        connected: true,
        resend_floor: EventId(1),
    };
    check(
        &value,
        |out| session::put_mark(out, &value),
        session::read_mark,
        &[
            "010807060504030201030000000000000080e497d0120264000000000000000100000000000002030009ac02630000000000000007000000000000000001c8010163000000000000000700000000000000000280f882ad160b0a020100ffff80a0f1c2b1340101",
        ],
    );
    assert_eq!(
        session::order(&unhex(
            "010807060504030201030000000000000080e497d0120264000000000000000100000000000002030009ac02630000000000000007000000000000000001c8010163000000000000000700000000000000000280f882ad160b0a020100ffff80a0f1c2b1340101"
        )),
        Some((value.generation, 3))
    );
}

#[test]
fn rows_of_numbers_are_as_they_were() {
    check(&Seq(300), |out| number::put_read_mark(out, Seq(300)), number::read_read_mark, &["012c01000000000000"]);
    let before = Reach { events: Some(0), rows: Some(8) };
    let round = RoundRow { number: 5, base: 9, fanned_out: EventId(1000), has_events: true, before };
    check(
        &round,
        |out| round.put(out),
        RoundRow::read,
        &["0105000000000000000900000000000000e8030000000000000101000000000000000900000000000000"],
    );
}

#[test]
fn keys_are_as_they_were_and_sort_by_meaning() {
    let name = SessionKey { user: user(0x0203), client_id: "kim".into() };
    for (key, sample) in [
        (key::events(dm(), Seq(7)).as_ref().to_vec(), "ae27777f4a902c2e000000000000020300000007"),
        (
            key::events(channel(), Seq(u64::from(u32::MAX))).as_ref().to_vec(),
            "efa80ca6c0462d5c0000000000000000ffffffff00000000ffffffff",
        ),
        (
            key::events(ConversationId::Own(user(1)), Seq(7)).as_ref().to_vec(),
            "e20c42fb86b9f7af800000000000000000000007",
        ),
        (
            key::index(user(5), Window(6), Some(dm())),
            "69000000000000000500000000000000066400000000000000010000000000000203",
        ),
        (key::moved(Window(6), Some(dm())), "6d00000000000000066400000000000000010000000000000203"),
        (key::listed(user(5), Some(dm())), "6c00000000000000056400000000000000010000000000000203"),
        (key::read_mark(user(5), dm()), "7200000000000000056400000000000000010000000000000203"),
        (key::checkpoint(dm()).to_vec(), "636400000000000000010000000000000203"),
        (key::session(&name, key::SessionPart::Mark), "7300000000000002036b696d006d"),
        (key::session(&name, key::SessionPart::Row), "7300000000000002036b696d0072"),
        (key::ROUND.to_vec(), "6e"),
    ] {
        assert_eq!(hex(&key), sample);
    }
    for seq in [0, 1, 255, 256, u64::from(u32::MAX) - 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
        assert_eq!(key::last_seq(key::events(dm(), Seq(seq)).as_ref()), Some(Seq(seq)));
    }
    let seqs = [0, 255, 256, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, u64::MAX];
    assert!(seqs.map(|seq| key::events(dm(), Seq(seq)).as_ref().to_vec()).is_sorted());
    assert_eq!(key::window_and_conversation(&key::index(user(5), Window(6), Some(dm()))), Some((Window(6), dm())));
    assert_eq!(key::window_and_conversation(&key::moved(Window(6), Some(dm()))), Some((Window(6), dm())));
    assert_eq!(key::conversation(&key::listed(user(5), Some(dm()))), Some(dm()));
    assert_eq!(key::session_of(&key::session(&name, key::SessionPart::Row)), Some((name, key::SessionPart::Row)));
}

//! Rules of rows that only grow: the watermark of fan-out, checkpoints, read marks.

use talaria_core::{EventId, Origin, Seq};
use talaria_port::messages::{Checkpoint, Fingerprint, MessageStore as _, ReadMark, Remembered, Round};

use super::{Fresh, channel, commit_one, dm, id, user, wait};

fn checkpoint(seq: u64) -> Checkpoint {
    let remembered = [Fingerprint::Key(seq), Fingerprint::Origin(Origin { client: 1, packet_id: 2, payload: seq })];
    let remembered =
        remembered.map(|fingerprint| Remembered { sender: user(7), fingerprint, seq: Seq(seq), id: id(seq) });
    let (seq, id, messages) = (Seq(seq), id(seq), seq / 2);
    Checkpoint { conversation: dm(1, 2), seq, id, messages, epoch: 1, remembered: remembered.to_vec() }
}

/// The watermark of fan-out never falls, and is 0 at the very start.
pub fn fanned_out_never_falls<F: Fresh>(mut fresh: F) {
    assert_eq!(wait(fresh.store().fanned_out()).unwrap(), EventId::ZERO);
    for id in [5, 9, 7] {
        commit_one(fresh.store(), Round { fanned_out: Some(EventId(id)), ..Round::default() });
    }
    let reads = vec![ReadMark { user: user(1), conversation: dm(1, 2), seq: Seq(1) }];
    commit_one(fresh.store(), Round { reads, ..Round::default() });
    assert_eq!(wait(fresh.store().fanned_out()).unwrap(), EventId(9));
    fresh.reopen();
    assert_eq!(wait(fresh.store().fanned_out()).unwrap(), EventId(9));
}

/// By its seq, whatever the order in which they are written, also within one round.
pub fn the_newest_checkpoint_wins<F: Fresh>(mut fresh: F) {
    assert_eq!(wait(fresh.store().checkpoint(dm(1, 2))).unwrap(), None);
    for (rounds, newest) in [(vec![vec![10]], 10), (vec![vec![5], vec![30, 20]], 30), (vec![vec![29], vec![31]], 31)] {
        for seqs in rounds {
            let checkpoints = seqs.into_iter().map(checkpoint).collect();
            commit_one(fresh.store(), Round { checkpoints, ..Round::default() });
        }
        assert_eq!(wait(fresh.store().checkpoint(dm(1, 2))).unwrap(), Some(checkpoint(newest)));
    }
    fresh.reopen();
    assert_eq!(wait(fresh.store().checkpoint(dm(1, 2))).unwrap(), Some(checkpoint(31)));
    assert_eq!(wait(fresh.store().checkpoint(dm(1, 3))).unwrap(), None);
}

/// With much remembered, with nothing, with the numbers at their bounds.
pub fn every_field_of_a_checkpoint_comes_back<F: Fresh>(mut fresh: F) {
    let origin = Origin { client: u64::MAX, packet_id: u16::MAX, payload: u64::MAX };
    let remembered = (1..=256).map(|seq| Remembered {
        sender: user(if seq % 2 == 0 { i64::MAX as u64 } else { 1 }),
        fingerprint: if seq % 3 == 0 { Fingerprint::Origin(origin) } else { Fingerprint::Key(u64::MAX - seq) },
        seq: Seq(seq),
        id: id(seq),
    });
    let full = Checkpoint { remembered: remembered.collect(), ..checkpoint(300) };
    let bare = Checkpoint {
        conversation: channel(5),
        seq: Seq(u64::MAX),
        id: EventId::MAX,
        messages: u64::MAX,
        epoch: u32::MAX,
        remembered: Vec::new(),
    };
    commit_one(fresh.store(), Round { checkpoints: vec![full.clone(), bare.clone()], ..Round::default() });
    fresh.reopen();
    assert_eq!(wait(fresh.store().checkpoint(full.conversation)).unwrap(), Some(full));
    assert_eq!(wait(fresh.store().checkpoint(bare.conversation)).unwrap(), Some(bare));
}

/// Over rounds and within one.
pub fn a_read_mark_never_falls<F: Fresh>(mut fresh: F) {
    let read = |fresh: &F| wait(fresh.store().read_mark(user(1), dm(1, 2))).unwrap().0;
    assert_eq!(read(&fresh), 0);
    for (seqs, mark) in [(vec![5], 5), (vec![3], 5), (vec![9, 7, 8], 9), (vec![9], 9)] {
        let reads = seqs.into_iter().map(|seq| ReadMark { user: user(1), conversation: dm(1, 2), seq: Seq(seq) });
        commit_one(fresh.store(), Round { reads: reads.collect(), ..Round::default() });
        assert_eq!(read(&fresh), mark);
    }
    fresh.reopen();
    assert_eq!(read(&fresh), 9);
}

/// Each is of one user in one conversation.
pub fn read_marks_do_not_mix<F: Fresh>(fresh: F) {
    let mark = |id, conversation, seq| ReadMark { user: user(id), conversation, seq: Seq(seq) };
    let reads = vec![mark(1, dm(1, 2), 3), mark(2, dm(1, 2), 4), mark(1, channel(1), 5)];
    commit_one(fresh.store(), Round { reads, ..Round::default() });
    let read = |id, of| wait(fresh.store().read_mark(user(id), of)).unwrap().0;
    assert_eq!([read(1, dm(1, 2)), read(2, dm(1, 2)), read(1, channel(1)), read(2, channel(1))], [3, 4, 5, 0]);
}

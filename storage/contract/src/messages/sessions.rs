//! Rules of sessions: later writes win by (generation, number of the write), never by the order of arrival (D10).

use talaria_core::{EventId, Seq};
use talaria_port::messages::Round;
use talaria_port::sessions::{Mark, Position, SessionKey, SessionRow, SessionStore as _, SessionWrite, StoredSession};

use super::{Fresh, channel, commit_one, dm, id, user, wait};

fn name(user_id: u64, client_id: &str) -> SessionKey {
    SessionKey { user: user(user_id), client_id: client_id.into() }
}

fn row(generation: u64) -> SessionRow {
    SessionRow { generation, expiry_s: generation as u32, subscriptions: vec![("dm/+/in".into(), 1)] }
}

fn mark(generation: u64, write: u64) -> Mark {
    Mark {
        generation,
        write,
        settled: id(generation * 10 + write),
        behind: vec![(dm(1, 2), Position::At(Seq(1), id(1))), (channel(1), Position::After(id(2)))],
        ahead: vec![(dm(1, 3), Seq(write), id(write))],
        packet_id: write as u16,
        unreleased: vec![1, u16::MAX],
        at_unix_ms: 1_800_000_000_000 + write,
        connected: write.is_multiple_of(2),
        resend_floor: id(1),
    }
}

fn write<F: Fresh>(fresh: &F, sessions: Vec<SessionWrite>) {
    commit_one(fresh.store(), Round { sessions, ..Round::default() });
}

fn stored<F: Fresh>(fresh: &F, of: &SessionKey) -> Option<StoredSession> {
    wait(fresh.store().session(of)).unwrap()
}

/// Row and mark, full and bare, also after reopening.
pub fn every_field_of_a_session_comes_back<F: Fresh>(mut fresh: F) {
    let (full, bare) = (name(1, "phone"), name(1, "웹 📱"));
    let subscriptions = (0..40_u8).map(|options| (format!("channel/{options}/#").into(), options)).collect();
    let full_row = SessionRow { generation: u64::MAX, expiry_s: u32::MAX, subscriptions };
    let full_mark = Mark {
        generation: u64::MAX,
        write: u64::MAX,
        settled: EventId::MAX,
        behind: (1..=256).map(|other| (dm(1, other), Position::At(Seq(u64::MAX), EventId::MAX))).collect(),
        ahead: (1..=256).map(|other| (channel(other), Seq(other), id(other))).collect(),
        packet_id: u16::MAX,
        unreleased: (1..=300).collect(),
        at_unix_ms: u64::MAX,
        connected: true,
        resend_floor: EventId::MAX,
    };
    let bare_row = SessionRow { generation: 0, expiry_s: 0, subscriptions: Vec::new() };
    let bare_mark = Mark {
        generation: 0,
        write: 0,
        settled: EventId::ZERO,
        behind: Vec::new(),
        ahead: Vec::new(),
        packet_id: 0,
        unreleased: Vec::new(),
        at_unix_ms: 0,
        connected: false,
        resend_floor: EventId::ZERO,
    };
    assert_eq!(stored(&fresh, &full), None);
    for (of, row, mark) in [(&full, &full_row, &full_mark), (&bare, &bare_row, &bare_mark)] {
        write(&fresh, vec![SessionWrite::Row(of.clone(), row.clone())]);
        assert_eq!(stored(&fresh, of), Some(StoredSession { row: row.clone(), mark: None }));
        write(&fresh, vec![SessionWrite::Mark(of.clone(), mark.clone())]);
    }
    for _ in 0..2 {
        let found = |of| stored(&fresh, of).unwrap();
        assert_eq!(found(&full), StoredSession { row: full_row.clone(), mark: Some(full_mark.clone()) });
        assert_eq!(found(&bare), StoredSession { row: bare_row.clone(), mark: Some(bare_mark.clone()) });
        fresh.reopen();
    }
}

/// It is kept for the row that may come later.
pub fn a_mark_alone_is_no_session<F: Fresh>(fresh: F) {
    let of = name(1, "phone");
    write(&fresh, vec![SessionWrite::Mark(of.clone(), mark(1, 1))]);
    assert_eq!(stored(&fresh, &of), None);
    assert_eq!(wait(fresh.store().sessions(None, 9)).unwrap(), []);
    write(&fresh, vec![SessionWrite::Row(of.clone(), row(1))]);
    assert_eq!(stored(&fresh, &of), Some(StoredSession { row: row(1), mark: Some(mark(1, 1)) }));
}

/// Every order of arrival of three marks, in rounds of their own and in one.
pub fn the_later_mark_wins_in_any_order<F: Fresh>(mut fresh: F) {
    let marks = [mark(1, 9), mark(2, 1), mark(2, 2)];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (number, order) in orders.iter().enumerate() {
        for (kind, one_round) in [("one", true), ("three", false)] {
            let of = name(number as u64 + 1, kind);
            let writes = order.map(|at| SessionWrite::Mark(of.clone(), marks[at].clone()));
            write(&fresh, vec![SessionWrite::Row(of.clone(), row(1))]);
            if one_round {
                write(&fresh, writes.to_vec());
            } else {
                writes.into_iter().for_each(|one| write(&fresh, vec![one]));
            }
        }
    }
    for _ in 0..2 {
        for number in 1..=6 {
            for kind in ["one", "three"] {
                let found = stored(&fresh, &name(number, kind)).unwrap();
                assert_eq!(found.mark, Some(marks[2].clone()), "order {number}, {kind}");
            }
        }
        fresh.reopen();
    }
}

/// By its generation; within one, the last one written.
pub fn the_later_row_wins<F: Fresh>(fresh: F) {
    let of = name(1, "phone");
    let changed = SessionRow { subscriptions: Vec::new(), ..row(3) };
    for (rows, kept) in [
        (vec![row(2)], row(2)),
        (vec![row(1)], row(2)),
        (vec![row(3), row(1)], row(3)),
        (vec![changed.clone()], changed.clone()),
        (vec![row(2), row(1)], changed),
    ] {
        write(&fresh, rows.into_iter().map(|row| SessionWrite::Row(of.clone(), row)).collect());
        assert_eq!(stored(&fresh, &of).unwrap().row, kept);
    }
}

/// Everything of it up to a generation, and nothing of a later one.
pub fn an_end_takes_only_its_generations<F: Fresh>(mut fresh: F) {
    let [ended, newer, mixed] = ["ended", "newer", "mixed"].map(|client_id| name(1, client_id));
    for (of, row_generation, mark_generation) in [(&ended, 4, 5), (&newer, 6, 6), (&mixed, 6, 5)] {
        write(
            &fresh,
            vec![
                SessionWrite::Row(of.clone(), row(row_generation)),
                SessionWrite::Mark(of.clone(), mark(mark_generation, 1)),
            ],
        );
        write(&fresh, vec![SessionWrite::End(of.clone(), 5)]);
    }
    for _ in 0..2 {
        assert_eq!(stored(&fresh, &ended), None);
        assert_eq!(stored(&fresh, &newer), Some(StoredSession { row: row(6), mark: Some(mark(6, 1)) }));
        assert_eq!(stored(&fresh, &mixed), Some(StoredSession { row: row(6), mark: None }));
        let all = wait(fresh.store().sessions(None, 9)).unwrap();
        assert_eq!(all.iter().map(|(of, _)| of).collect::<Vec<_>>(), [&mixed, &newer]);
        fresh.reopen();
    }
}

/// What is there no more needs no end, and the next generation begins anew; a round that brought an end may come again.
pub fn after_an_end_the_next_generation_begins_anew<F: Fresh>(fresh: F) {
    let of = name(1, "phone");
    write(&fresh, vec![SessionWrite::End(of.clone(), 9)]);
    let round = vec![
        SessionWrite::Row(of.clone(), row(5)),
        SessionWrite::Mark(of.clone(), mark(5, 9)),
        SessionWrite::End(of.clone(), 5),
    ];
    for _ in 0..2 {
        write(&fresh, round.clone());
        assert_eq!(stored(&fresh, &of), None);
    }
    write(&fresh, vec![SessionWrite::Row(of.clone(), row(6))]);
    write(&fresh, round);
    assert_eq!(stored(&fresh, &of), Some(StoredSession { row: row(6), mark: None }));
}

/// Two users may use the same client id (INV-6).
pub fn sessions_of_two_users_do_not_mix<F: Fresh>(fresh: F) {
    let [kim, lee] = [1, 2].map(|id| name(id, "phone"));
    write(&fresh, vec![SessionWrite::Row(kim.clone(), row(1)), SessionWrite::Row(lee.clone(), row(2))]);
    write(&fresh, vec![SessionWrite::End(kim.clone(), 9)]);
    assert_eq!(stored(&fresh, &kim), None);
    assert_eq!(stored(&fresh, &lee).unwrap().row, row(2));
}

/// After the one given, whether that one still exists or not.
pub fn sessions_are_paged_in_the_order_of_their_keys<F: Fresh>(mut fresh: F) {
    let mut names = Vec::new();
    for id in [1, 2, 256] {
        names.extend(["a", "a b", "ab", "abc", "b", "é"].map(|client_id| name(id, client_id)));
    }
    for of in names.iter().rev() {
        write(&fresh, vec![SessionWrite::Row(of.clone(), row(1)), SessionWrite::Mark(of.clone(), mark(1, 1))]);
    }
    names.sort();
    let ended = names[3].clone();
    write(&fresh, vec![SessionWrite::End(ended.clone(), 1)]);
    let is_there = |of: &&SessionKey| **of != ended;
    for _ in 0..2 {
        let read = |after: Option<&SessionKey>, limit| {
            let page = wait(fresh.store().sessions(after, limit)).unwrap();
            assert!(page.iter().all(|(_, session)| session.mark == Some(mark(1, 1)) && session.row == row(1)));
            page.into_iter().map(|(of, _)| of).collect::<Vec<_>>()
        };
        assert_eq!(
            read(None, usize::MAX).iter().collect::<Vec<_>>(),
            names.iter().filter(is_there).collect::<Vec<_>>()
        );
        for (at, of) in names.iter().enumerate() {
            let expected: Vec<_> = names.iter().skip(at + 1).filter(is_there).take(4).cloned().collect();
            assert_eq!(read(Some(of), 4), expected, "after {of:?}");
        }
        fresh.reopen();
    }
}

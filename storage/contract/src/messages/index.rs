//! Rules of the message sync queue, of what moved, and of the list of 1:1 conversations.

use talaria_core::ConversationId;
use talaria_port::messages::{IndexRow, MessageStore as _, MovedRow, Round, Window};

use super::{Fresh, channel, commit_one, dm, user, wait};

type Row = (Window, ConversationId);

/// In the order of a store that sorts keys by their bytes.
fn ascending() -> Vec<Row> {
    let mut rows = Vec::new();
    for window in [3, 4, 255, 256, 257, 70_000] {
        let mut conversations = [dm(1, 2), dm(1, 300), channel(7), ConversationId::Own(user(1))];
        conversations.sort_by_key(|of| of.to_key());
        rows.extend(conversations.map(|of| (Window(window), of)));
    }
    rows
}

/// Writes rows over several rounds, not in their order.
fn scattered<F: Fresh>(fresh: &F, rows: &[Row], put: impl Fn(&mut Round, Row)) {
    for third in 0..3 {
        let mut round = Round::default();
        for row in rows.iter().rev().skip(third).step_by(3) {
            put(&mut round, *row);
        }
        commit_one(fresh.store(), round);
    }
}

/// Every start and every page size gives the rows from there on.
fn check_pages(all: &[Row], read: impl Fn(Window, Option<Row>, usize) -> Vec<Row>) {
    assert_eq!(read(Window(0), None, usize::MAX), all);
    for from in [3, 4, 5, 256, 70_000, 70_001] {
        let from = Window(from);
        let expected: Vec<Row> = all.iter().copied().filter(|(window, _)| *window >= from).collect();
        assert_eq!(read(from, None, usize::MAX), expected, "from {from:?}");
    }
    for limit in 1..6 {
        let mut found: Vec<Row> = Vec::new();
        loop {
            let page = read(Window(0), found.last().copied(), limit);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, all, "by {limit}");
    }
    let after = all[5];
    assert_eq!(read(after.0, Some(after), usize::MAX), all[6..]);
    // From beyond the row given, and from before it.
    assert_eq!(read(Window(256), Some(after), 1), [*all.iter().find(|(window, _)| *window >= Window(256)).unwrap()]);
    assert_eq!(read(Window(0), Some(*all.last().unwrap()), 9), []);
    assert_eq!(read(Window(0), None, 0), []);
}

/// In the order of (window, conversation), from a window on, after a row, as many as are asked for.
pub fn index_rows_ascend_and_are_paged<F: Fresh>(mut fresh: F) {
    let all = ascending();
    scattered(&fresh, &all, |round, (window, conversation)| {
        round.index.push(IndexRow { user: user(5), window, conversation });
    });
    for _ in 0..2 {
        check_pages(&all, |from, after, limit| wait(fresh.store().index(user(5), from, after, limit)).unwrap());
        fresh.reopen();
    }
}

/// A head may lie in the future (D5).
pub fn an_index_has_no_upper_end<F: Fresh>(fresh: F) {
    let window = Window::of(talaria_core::EventId::MAX);
    let conversation = dm(1, 2);
    commit_one(
        fresh.store(),
        Round {
            index: vec![IndexRow { user: user(1), window, conversation }],
            moved: vec![MovedRow { window, conversation }],
            ..Round::default()
        },
    );
    assert_eq!(wait(fresh.store().index(user(1), Window(0), None, 9)).unwrap(), [(window, conversation)]);
    assert_eq!(wait(fresh.store().moved(window, None, 9)).unwrap(), [(window, conversation)]);
}

/// What moved for one user did not move for another.
pub fn an_index_is_one_users<F: Fresh>(fresh: F) {
    let row = |id, window| IndexRow { user: user(id), window: Window(window), conversation: dm(id, 9) };
    let index = vec![row(1, 5), row(2, 1), row(2, 9), row(3, 5), row(256, 5)];
    commit_one(fresh.store(), Round { index, ..Round::default() });
    let of = |id| wait(fresh.store().index(user(id), Window(0), None, 9)).unwrap();
    assert_eq!(of(2), [(Window(1), dm(2, 9)), (Window(9), dm(2, 9))]);
    assert_eq!(of(256), [(Window(5), dm(9, 256))]);
    assert_eq!(of(4), []);
    assert_eq!(wait(fresh.store().moved(Window(0), None, 9)).unwrap(), []);
}

/// Twice in one round, and again in a later one.
pub fn an_index_row_is_there_once<F: Fresh>(fresh: F) {
    let (window, conversation) = (Window(7), dm(1, 2));
    for _ in 0..2 {
        let round = Round {
            index: vec![IndexRow { user: user(1), window, conversation }; 2],
            moved: vec![MovedRow { window, conversation }; 2],
            listed: vec![(user(1), conversation); 2],
            ..Round::default()
        };
        commit_one(fresh.store(), round);
    }
    assert_eq!(wait(fresh.store().index(user(1), Window(0), None, 9)).unwrap(), [(window, conversation)]);
    assert_eq!(wait(fresh.store().moved(Window(0), None, 9)).unwrap(), [(window, conversation)]);
    assert_eq!(wait(fresh.store().listed(user(1), None, 9)).unwrap(), [conversation]);
}

/// The same as a user's index, over all conversations.
pub fn moved_rows_ascend_and_are_paged<F: Fresh>(mut fresh: F) {
    let all = ascending();
    scattered(&fresh, &all, |round, (window, conversation)| round.moved.push(MovedRow { window, conversation }));
    for _ in 0..2 {
        check_pages(&all, |from, after, limit| wait(fresh.store().moved(from, after, limit)).unwrap());
        fresh.reopen();
    }
}

/// In one order, after the one given, as many as are asked for; each user's own.
pub fn listed_conversations_are_paged<F: Fresh>(mut fresh: F) {
    let mut all: Vec<ConversationId> = [2, 3, 255, 256, 1 << 40].map(|other| dm(2, other)).to_vec();
    for of in &all {
        let listed = vec![(user(2), *of), (user(3), dm(3, 3)), (user(1), dm(1, 1))];
        commit_one(fresh.store(), Round { listed, ..Round::default() });
    }
    all.sort_by_key(|of| of.to_key());
    for _ in 0..2 {
        let read = |after, limit| wait(fresh.store().listed(user(2), after, limit)).unwrap();
        assert_eq!(read(None, usize::MAX), all);
        for (at, of) in all.iter().enumerate() {
            assert_eq!(read(Some(*of), 2), all.iter().skip(at + 1).take(2).copied().collect::<Vec<_>>());
        }
        assert_eq!(wait(fresh.store().listed(user(4), None, 9)).unwrap(), []);
        fresh.reopen();
    }
}

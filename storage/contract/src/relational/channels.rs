//! Rules of [`ChannelStore`].

use talaria_core::{ChannelId, Seq, UserId};
use talaria_port::channels::{Change, Channel, ChannelStore, Intent, Interval, Roster};

use super::{Fresh, assert_conflict, user};

fn id(id: u64) -> ChannelId {
    ChannelId::new(id).unwrap()
}

fn channel(number: u64) -> Channel {
    let (id, name) = (id(number), format!("점심 🍜 {number}"));
    Channel { id, name, owner: user(1), created_unix_ms: 1_800_000_000_000, history_shared: number.is_multiple_of(2) }
}

fn join(intent: u64, at: u64, of: u64) -> Intent {
    Intent { id: intent, channel: id(at), user: user(of), by: user(1), change: Change::Join }
}

fn leave(intent: u64, at: u64, of: u64) -> Intent {
    Intent { change: Change::Leave, ..join(intent, at, of) }
}

/// Channel `number` without anybody.
async fn add(store: &impl ChannelStore, number: u64) {
    store.create(&channel(number), &[]).await.unwrap();
}

async fn settle(store: &impl ChannelStore, settled: &[(Intent, u64)]) {
    let settled: Vec<_> = settled.iter().map(|(intent, seq)| (*intent, Seq(*seq))).collect();
    store.settle(&settled).await.unwrap();
}

async fn roster(store: &impl ChannelStore, number: u64) -> Roster {
    store.roster(id(number)).await.unwrap().unwrap()
}

/// Members now: user and seq of the join.
async fn members(store: &impl ChannelStore, number: u64) -> Vec<(u64, u64)> {
    roster(store, number).await.members.iter().map(|(user, seq)| (user.get(), seq.0)).collect()
}

async fn intervals(store: &impl ChannelStore, number: u64, of: u64) -> Vec<(u64, Option<u64>)> {
    let found: Vec<_> = store.intervals(id(number), user(of)).await.unwrap().memberships().collect();
    found.iter().map(|Interval { joined_seq, left_seq }| (joined_seq.0, left_seq.map(|left| left.0))).collect()
}

async fn channels_of(store: &impl ChannelStore, of: u64) -> Vec<u64> {
    store.channels_of(user(of)).await.unwrap().iter().map(|channel| channel.id.get()).collect()
}

/// A channel is made together with its first intents and comes back with every field, after reopening too.
pub async fn a_channel_is_made_together_with_its_intents<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    let largest = Channel { id: id(i64::MAX as u64), created_unix_ms: i64::MAX as u64, ..channel(2) };
    fresh.store().create(&largest, &[]).await.unwrap();
    fresh.store().create(&channel(1), &[join(8, 1, 3), join(7, 1, 2)]).await.unwrap();
    for _ in 0..2 {
        let store = fresh.store();
        assert_eq!(store.channel(largest.id).await.unwrap().as_ref(), Some(&largest));
        assert_eq!(store.channel(id(1)).await.unwrap(), Some(channel(1)));
        let expected = Roster { channel: channel(1), members: vec![], intents: vec![join(7, 1, 2), join(8, 1, 3)] };
        assert_eq!(roster(&**store, 1).await, expected);
        fresh.reopen().await;
    }
    assert_eq!(fresh.store().channel(id(3)).await.unwrap(), None);
    assert_eq!(fresh.store().roster(id(3)).await.unwrap(), None);
}

/// A channel made again stays as it is and brings no settled intent back; another one under its id is a conflict.
pub async fn a_channel_made_again_changes_nothing<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    let intents = [join(7, 1, 2)];
    fresh.store().create(&channel(1), &intents).await.unwrap();
    fresh.store().create(&channel(1), &intents).await.unwrap();
    settle(&**fresh.store(), &[(intents[0], 1)]).await;
    fresh.store().create(&channel(1), &intents).await.unwrap();
    assert_conflict(fresh.store().create(&Channel { name: "other".into(), ..channel(1) }, &[]).await);
    fresh.reopen().await;
    let expected = Roster { channel: channel(1), members: vec![(user(2), Seq(1))], intents: vec![] };
    assert_eq!(roster(&**fresh.store(), 1).await, expected);
}

/// What was begun is found again, in the order of the numbers, by the channel and by the sweep, until it is settled or withdrawn.
pub async fn what_was_begun_is_found_again_until_it_ends<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    add(&**fresh.store(), 1).await;
    add(&**fresh.store(), 2).await;
    let largest = leave(i64::MAX as u64, 2, 9);
    fresh.store().begin(&[largest, join(12, 1, 3), join(11, 2, 4)]).await.unwrap();
    fresh.store().begin(&[join(10, 1, 2)]).await.unwrap();
    fresh.store().begin(&[]).await.unwrap();
    fresh.reopen().await;
    let store = fresh.store();
    assert_eq!(store.unsettled().await.unwrap(), [join(10, 1, 2), join(11, 2, 4), join(12, 1, 3), largest]);
    assert_eq!(roster(&**store, 1).await.intents, [join(10, 1, 2), join(12, 1, 3)]);
    assert_eq!(roster(&**store, 2).await.intents, [join(11, 2, 4), largest]);
    settle(&**store, &[(join(10, 1, 2), 5)]).await;
    store.withdraw(11).await.unwrap();
    store.withdraw(11).await.unwrap();
    store.withdraw(99).await.unwrap();
    fresh.reopen().await;
    assert_eq!(fresh.store().unsettled().await.unwrap(), [join(12, 1, 3), largest]);
    assert_eq!((members(&**fresh.store(), 1).await, members(&**fresh.store(), 2).await), (vec![(2, 5)], vec![]));
}

/// An intent begun again is one intent; a number stands for one of them; a batch is begun whole or not at all.
pub async fn an_intent_number_stands_for_one_change<F: Fresh<Store: ChannelStore>>(fresh: F) {
    let store = fresh.store();
    add(&**store, 1).await;
    store.begin(&[join(10, 1, 2)]).await.unwrap();
    store.begin(&[join(10, 1, 2)]).await.unwrap();
    assert_conflict(store.begin(&[join(11, 1, 3), leave(10, 1, 2)]).await);
    assert_conflict(store.begin(&[join(11, 1, 3), join(10, 1, 4)]).await);
    assert_conflict(store.begin(&[join(11, 1, 3), join(12, 9, 3)]).await);
    assert_conflict(store.create(&channel(2), &[join(11, 2, 3), join(10, 2, 2)]).await);
    assert_eq!(store.channel(id(2)).await.unwrap(), None);
    assert_eq!(store.unsettled().await.unwrap(), [join(10, 1, 2)]);
}

/// Joining, leaving, joining again: members with their latest join, intervals oldest first, channels of a user by id.
pub async fn intervals_follow_joins_and_leaves<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    for number in [3, 1, 2] {
        add(&**fresh.store(), number).await;
        settle(&**fresh.store(), &[(join(number, number, 5), 1), (join(100 + number, number, 4), 2)]).await;
    }
    settle(&**fresh.store(), &[(leave(10, 2, 5), 7)]).await;
    assert_eq!(members(&**fresh.store(), 2).await, [(4, 2)]);
    assert_eq!(channels_of(&**fresh.store(), 5).await, [1, 3]);
    settle(&**fresh.store(), &[(join(11, 2, 5), 9), (leave(12, 1, 5), 4)]).await;
    fresh.reopen().await;
    let store = fresh.store();
    assert_eq!(members(&**store, 2).await, [(4, 2), (5, 9)]);
    assert_eq!(intervals(&**store, 2, 5).await, [(1, Some(7)), (9, None)]);
    assert_eq!(intervals(&**store, 1, 5).await, [(1, Some(4))]);
    assert_eq!(intervals(&**store, 2, 4).await, [(2, None)]);
    assert_eq!((intervals(&**store, 2, 6).await, intervals(&**store, 9, 5).await), (vec![], vec![]));
    assert_eq!(channels_of(&**store, 5).await, [2, 3]);
    assert_eq!(channels_of(&**store, 6).await, Vec::<u64>::new());
}

/// The outcome depends on what was settled, not on the order nor on repeats: of two changes that race, the later seq counts.
pub async fn changes_settle_in_any_order<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    let history = [(join(1, 1, 5), 3), (leave(2, 1, 5), 8), (join(3, 1, 5), 12), (leave(4, 1, 5), 13)];
    let mut number = 0;
    for length in 1..=history.len() {
        let history = &history[..length];
        for order in orders(length) {
            number += 1;
            add(&**fresh.store(), number).await;
            for at in order.iter().chain(&order[..length / 2]) {
                let (intent, seq) = history[*at];
                settle(&**fresh.store(), &[(Intent { channel: id(number), ..intent }, seq)]).await;
            }
            let expected = [vec![(3, None)], vec![(3, Some(8))], vec![(3, Some(8)), (12, None)]];
            let expected = expected.into_iter().nth(length - 1).unwrap_or(vec![(3, Some(8)), (12, Some(13))]);
            let is_member = expected.last().is_some_and(|(_, left)| left.is_none());
            assert_eq!(intervals(&**fresh.store(), number, 5).await, expected, "{order:?}");
            assert_eq!(members(&**fresh.store(), number).await.len(), usize::from(is_member), "{order:?}");
            assert_eq!(channels_of(&**fresh.store(), 5).await.contains(&number), is_member, "{order:?}");
        }
    }
    fresh.reopen().await;
    assert_eq!(intervals(&**fresh.store(), number, 5).await, [(3, Some(8)), (12, Some(13))]);
}

/// Every order of `0..length`.
fn orders(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else { return vec![vec![]] };
    let insert = |order: Vec<usize>| {
        (0..length).map(move |at| [&order[..at], &[last], &order[at..]].concat()).collect::<Vec<_>>()
    };
    orders(last).into_iter().flat_map(insert).collect()
}

/// Between a leave and the join before it, neither is lost: what is known so far lets nobody in who left.
pub async fn a_leave_known_before_its_join_lets_nobody_in<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    add(&**fresh.store(), 1).await;
    fresh.store().begin(&[join(1, 1, 5)]).await.unwrap();
    settle(&**fresh.store(), &[(leave(2, 1, 5), 8)]).await;
    fresh.reopen().await;
    assert_eq!((members(&**fresh.store(), 1).await, intervals(&**fresh.store(), 1, 5).await), (vec![], vec![]));
    assert_eq!(channels_of(&**fresh.store(), 5).await, Vec::<u64>::new());
    assert_eq!(fresh.store().unsettled().await.unwrap(), [join(1, 1, 5)]);
    settle(&**fresh.store(), &[(join(1, 1, 5), 3)]).await;
    fresh.reopen().await;
    assert_eq!(members(&**fresh.store(), 1).await, []);
    assert_eq!(intervals(&**fresh.store(), 1, 5).await, [(3, Some(8))]);
}

/// A batch is settled whole or not at all.
pub async fn a_batch_is_settled_whole_or_not_at_all<F: Fresh<Store: ChannelStore>>(mut fresh: F) {
    add(&**fresh.store(), 1).await;
    fresh.store().begin(&[join(1, 1, 5)]).await.unwrap();
    let nowhere = join(2, 9, 5);
    assert_conflict(fresh.store().settle(&[(join(1, 1, 5), Seq(3)), (nowhere, Seq(1))]).await);
    fresh.reopen().await;
    assert_eq!(members(&**fresh.store(), 1).await, []);
    assert_eq!(fresh.store().unsettled().await.unwrap(), [join(1, 1, 5)]);
}

/// A roster is of one moment: who is being settled meanwhile is a member or has an intent, never both nor neither.
pub async fn a_roster_is_of_one_moment<F: Fresh<Store: ChannelStore>>(fresh: F) {
    const USERS: u64 = 60;
    let intents: Vec<_> = (1..=USERS).map(|of| join(of, 1, of)).collect();
    fresh.store().create(&channel(1), &intents).await.unwrap();
    let writer = fresh.beside().await;
    let writing = tokio::spawn(async move {
        for intent in intents {
            settle(&*writer, &[(intent, intent.id)]).await;
        }
    });
    loop {
        let is_over = writing.is_finished();
        let Roster { members, intents, .. } = roster(&**fresh.store(), 1).await;
        let of_members = members.iter().map(|(user, _)| *user);
        let mut users: Vec<UserId> = of_members.chain(intents.iter().map(|intent| intent.user)).collect();
        users.sort_unstable();
        assert!(users.into_iter().eq((1..=USERS).map(user)), "{members:?} {intents:?}");
        if is_over {
            break;
        }
    }
    writing.await.unwrap();
    assert_eq!(members(&**fresh.store(), 1).await.len() as u64, USERS);
}

/// Two processes that settle different users of one channel at once do not lose each other's changes.
pub async fn two_settle_at_once_and_nothing_is_lost<F: Fresh<Store: ChannelStore>>(fresh: F) {
    add(&**fresh.store(), 1).await;
    let mut writers = Vec::new();
    for (store, first) in [(fresh.store().clone(), 1), (fresh.beside().await, 2)] {
        writers.push(tokio::spawn(async move {
            for of in (first..=100).step_by(2) {
                store.begin(&[join(of, 1, of)]).await.unwrap();
                settle(&*store, &[(join(of, 1, of), of)]).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let expected: Vec<_> = (1..=100).map(|of| (of, of)).collect();
    assert_eq!(members(&**fresh.store(), 1).await, expected);
    assert_eq!(fresh.store().unsettled().await.unwrap(), []);
}

/// The rules of channels.
#[macro_export]
macro_rules! channel_store_suite {
    ($make:path) => {
        $crate::relational_rules!($make, channels: a_channel_is_made_together_with_its_intents,
            a_channel_made_again_changes_nothing, what_was_begun_is_found_again_until_it_ends,
            an_intent_number_stands_for_one_change, intervals_follow_joins_and_leaves, changes_settle_in_any_order,
            a_leave_known_before_its_join_lets_nobody_in, a_batch_is_settled_whole_or_not_at_all,
            a_roster_is_of_one_moment, two_settle_at_once_and_nothing_is_lost);
    };
}

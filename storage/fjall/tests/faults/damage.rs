//! Damage anywhere in a closed store: a clear refusal, or all that was acknowledged; never a shorter answer, never a panic.
//!
//! `DAMAGE_SEED=n` replays one seed.

use talaria_port::StoreErrorKind;
use talaria_storage_fjall::{FjallStore, Options};

use crate::content::{Answer, Dice, Rounds, commit, everything};
use crate::image::{Image, announced_count, record_tags};

/// Small enough that a few dozen rounds leave several tables, and a journal that is not yet in any.
const OPTIONS: fn() -> Options =
    || Options { events_memtable_bytes: 64 * 1024, rows_memtable_bytes: 48 * 1024, ..Options::default() };

fn seed() -> u64 {
    let seed = std::env::var("DAMAGE_SEED").map_or_else(
        |_| std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64,
        |seed| seed.parse().unwrap(),
    );
    println!("DAMAGE_SEED={seed}");
    seed
}

struct Closed {
    image: Image,
    answers: Vec<(String, Answer)>,
}

/// A closed store that has seen a restart, so that there is more than one of everything.
fn closed(seed: u64, rounds: usize) -> Closed {
    let folder = tempfile::tempdir().unwrap();
    let mut content = Rounds::new(seed);
    for _ in 0..2 {
        let store = FjallStore::open(folder.path(), OPTIONS()).unwrap();
        for _ in 0..rounds / 2 {
            commit(&store, content.next());
        }
    }
    let store = FjallStore::open(folder.path(), OPTIONS()).unwrap();
    let answers = everything(&store);
    drop(store);
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    Closed { image: Image::of(folder.path()), answers }
}

/// What came of one damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    Refused,
    SomeReadRefused,
    NothingLost,
}

impl Closed {
    /// Opens a changed image and reads everything.
    fn come_of(&self, image: &Image, what: &str) -> Came {
        let folder = image.write();
        let store = match FjallStore::open(folder.path(), OPTIONS()) {
            Ok(store) => store,
            Err(error) => {
                assert_eq!(error.kind, StoreErrorKind::Damaged, "{what}: {error}");
                assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{what}: {error}");
                return Came::Refused;
            }
        };
        let mut came = Came::NothingLost;
        for ((read, expected), (_, found)) in self.answers.iter().zip(everything(&store)) {
            match found {
                Err(StoreErrorKind::Damaged) => came = Came::SomeReadRefused,
                found => assert!(found == *expected, "{what}: {read} gave {found:?}, not {expected:?}"),
            }
        }
        came
    }

    fn flipped(&self, file: usize, at: usize, bits: u8) -> Came {
        let mut image = self.image.clone();
        image.0[file].1[at] ^= bits;
        self.come_of(&image, &format!("bits {bits:08b} of byte {at} of {}", self.name(file)))
    }

    fn name(&self, file: usize) -> String {
        self.image.0[file].0.display().to_string()
    }
}

/// Some anywhere, and some at both ends, which hold what the rest is found by. Small files are looked at whole.
fn places(dice: &mut Dice, length: usize) -> Vec<usize> {
    if length <= 32 {
        return (0..length).collect();
    }
    let mut some = |from: usize, to: usize, count: usize| -> Vec<usize> {
        (0..count).map(|_| from + dice.below((to - from) as u64) as usize).collect()
    };
    let mut places = [some(0, 32, 2), some(0, length, 5), some(length.saturating_sub(256), length, 4)].concat();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn a_flipped_bit_anywhere_is_refused_or_loses_nothing() {
    let mut dice = Dice(seed());
    let closed = closed(dice.below(u64::MAX), 70);
    let mut came = Vec::new();
    for file in 0..closed.image.0.len() {
        let length = closed.image.0[file].1.len();
        for at in places(&mut dice, length) {
            came.push(closed.flipped(file, at, 1 << dice.below(8)));
        }
    }
    let count = |wanted: Came| came.iter().filter(|came| **came == wanted).count();
    println!(
        "{} flips: {} refused, {} refused by a read, {} lost nothing",
        came.len(),
        count(Came::Refused),
        count(Came::SomeReadRefused),
        count(Came::NothingLost)
    );
    assert!(count(Came::Refused) > 0 && count(Came::SomeReadRefused) > 0);
}

#[test]
fn a_flipped_record_tag_is_refused() {
    let mut dice = Dice(seed());
    let closed = closed(dice.below(u64::MAX), 30);
    let mut flips = 0;
    for journal in closed.image.journals() {
        let tags = record_tags(&closed.image.0[journal].1);
        let last = tags.len().saturating_sub(8);
        let chosen = tags.iter().enumerate().filter(|(at, _)| *at < 8 || *at >= last || dice.below(30) == 0);
        for (_, at) in chosen.collect::<Vec<_>>() {
            let bits = 1 + dice.below(255) as u8;
            assert_eq!(closed.flipped(journal, *at, bits), Came::Refused, "tag at {at}");
            flips += 1;
        }
    }
    println!("{flips} tags");
    assert!(flips > 40);
}

/// Which tables there are: the engine deletes those that are not listed, and does not look at the checksum of the list.
#[test]
fn no_bit_of_a_list_of_tables_may_flip() {
    let mut dice = Dice(seed());
    let closed = closed(dice.below(u64::MAX), 30);
    let is_list = |file: &usize| {
        let name = closed.image.0[*file].0.file_name().unwrap().to_str().unwrap();
        name == "current" || name.strip_prefix('v').is_some_and(|number| number.parse::<u64>().is_ok())
    };
    let lists: Vec<usize> = (0..closed.image.0.len()).filter(is_list).collect();
    assert_eq!(lists.len(), 6);
    for file in lists {
        for at in 0..closed.image.0[file].1.len() {
            assert_eq!(closed.flipped(file, at, 1 << dice.below(8)), Came::Refused);
        }
    }
}

/// The engine takes memory for what is announced before it looks at the checksum: no such length may reach it.
#[test]
fn an_announced_length_takes_no_memory() {
    let closed = closed(seed(), 30);
    let mut flips = 0;
    for file in 0..closed.image.0.len() {
        if let Some(at) = announced_count(&closed.image.0[file].1) {
            assert_eq!(closed.flipped(file, at + 3, 0x40), Came::Refused);
            flips += 1;
        }
    }
    assert!(flips > 5);
}

#[test]
fn a_lost_or_short_file_is_refused_or_loses_nothing() {
    let closed = closed(seed(), 40);
    for file in 0..closed.image.0.len() {
        let mut image = closed.image.clone();
        image.0.remove(file);
        closed.come_of(&image, &format!("{} is gone", closed.name(file)));
        for part in [0, 1, 2] {
            let mut image = closed.image.clone();
            let length = image.0[file].1.len();
            image.0[file].1.truncate(length * part / 3);
            closed.come_of(&image, &format!("{} has {part} of 3 parts", closed.name(file)));
        }
    }
}

/// Damage in the number that orders a batch, which the engine does not guard, and in how many items it has.
#[test]
fn a_flipped_bit_in_the_head_of_a_batch_is_refused_or_loses_nothing() {
    let mut dice = Dice(seed());
    let closed = closed(dice.below(u64::MAX), 30);
    for journal in closed.image.journals() {
        let bytes = &closed.image.0[journal].1;
        let heads: Vec<usize> = record_tags(bytes).into_iter().filter(|at| bytes[*at] == 1).collect();
        for head in heads {
            if dice.below(3) == 0 {
                closed.flipped(journal, head + 1 + dice.below(12) as usize, 1 << dice.below(8));
            }
        }
    }
}

/// The engine goes on with the next journal behind one that it could not read to its end.
#[test]
fn damage_in_a_journal_that_is_not_the_last_is_refused() {
    let mut dice = Dice(seed());
    let folder = tempfile::tempdir().unwrap();
    let options = Options { events_memtable_bytes: 4 * 1024 * 1024, ..Options::default() };
    let mut content = Rounds::new(dice.below(u64::MAX));
    content.more_bytes = 300_000;
    let store = FjallStore::open(folder.path(), options).unwrap();
    let mut rounds = 0;
    while Image::journals_in(&folder.path().join("engine")) < 2 {
        commit(&store, content.next());
        rounds += 1;
        assert!(rounds < 200, "the engine never began a second journal");
    }
    content.more_bytes = 0;
    commit(&store, content.next());
    let answers = everything(&store);
    drop(store);
    let closed = Closed { image: Image::of(folder.path()), answers };
    let sealed = closed.image.journals()[0];
    let bytes = &closed.image.0[sealed].1;
    let tags = record_tags(bytes);
    let ends: Vec<usize> = tags.iter().copied().filter(|at| bytes[*at] == 3).collect();
    let middle = tags[dice.below(tags.len() as u64) as usize];
    for at in [tags[0], tags[1], middle, middle + 11, *tags.last().unwrap(), *ends.last().unwrap() + 12] {
        assert_eq!(closed.flipped(sealed, at, 1 << dice.below(8)), Came::Refused, "byte {at}");
    }
    let mut image = closed.image.clone();
    image.0.remove(sealed);
    assert_eq!(closed.come_of(&image, "the first journal is gone"), Came::Refused);
}

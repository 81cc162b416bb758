//! A damaged byte anywhere in the data folder: the server refuses to start and says why, or refuses to read what is damaged and says
//! so, or everything that was acknowledged is there. A torn tail of the journal, which nobody was told of, is no damage.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use talaria_storage_fjall::{FjallStore, FolderLease, Options};
use talaria_tests::{Home, Server};

use crate::checker::check;
use crate::history::{History, Sender};
use crate::image::{File, Image, records};
use crate::load::{Conversation, Load};
use crate::receiver::Receiver;
use crate::seed::{Random, seed};
use crate::stage::{Phase, Stage};

const ACKNOWLEDGED: u64 = 300;
/// Small, so that there are tables before there are a hundred thousand messages. The engine keeps what it was made with.
const OPTIONS: fn() -> Options =
    || Options { events_memtable_bytes: 64 * 1024, rows_memtable_bytes: 32 * 1024, ..Options::default() };

/// A data folder after a load, and what was acknowledged of it.
struct Closed {
    image: Image,
    /// The same as a kill left it, with the write-ahead log of accounts.
    killed: Image,
    senders: Vec<Sender>,
    conversations: Vec<Conversation>,
    /// A session that was away all the time.
    away: Receiver,
}

/// What came of one damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    /// The server did not start.
    Refused,
    /// It did not read something.
    ReadRefused,
    NothingLost,
}

/// Made once for all tests of this file.
fn closed() -> &'static Closed {
    static CLOSED: OnceLock<Closed> = OnceLock::new();
    CLOSED.get_or_init(Closed::new)
}

impl Closed {
    fn new() -> Self {
        let home = Home::new();
        std::fs::create_dir_all(home.data()).unwrap();
        drop(FolderLease::open(&home.data(), true).unwrap());
        drop(FjallStore::open(&home.data().join("messages"), OPTIONS()).unwrap());
        let server = Server::start(home);
        let load = Load::start(&server, seed("damage, its load"));
        let (conversations, away) = (load.conversations.clone(), load.absent.clone());
        load.stage.wait_for_acknowledged(ACKNOWLEDGED);
        let history = load.finish(&server);
        assert_eq!(check(&history), []);
        let home = server.kill();
        let killed = Image::of(&home.data());
        let image = Image::of(&Server::start(home).stop().data());
        Self { image, killed, senders: history.senders, conversations, away }
    }

    /// Starts on these files, and reads everything.
    fn come_of(&self, image: &Image, what: &str) -> Came {
        let home = image.home();
        let folder = home.data().display().to_string();
        match Server::try_start(home) {
            Ok(server) => self.judge(&server, what),
            Err(ended) => {
                let log = ended.log.to_string();
                assert_eq!(ended.status.code(), Some(1), "{what}: {log}");
                // SQLite's own reasons go on over several lines.
                let says =
                    log.lines().find(|line| line.starts_with("talaria: ")).unwrap_or_else(|| panic!("{what}: {log}"));
                // A flipped number of the schema is one that no release has yet.
                let is_told = says.contains(&folder) && says.contains("backup") || says.contains("newer release");
                assert!(is_told, "{what}: {log}");
                println!("{what}: {says}");
                Came::Refused
            }
        }
    }

    fn judge(&self, server: &Server, what: &str) -> Came {
        let mut stored = BTreeMap::new();
        for of in &self.conversations {
            match of.try_read(server) {
                Ok(events) => stored.insert(of.name.clone(), events),
                Err(answer) => {
                    assert_eq!(answer.status, 500, "{what}: {}", answer.json);
                    server.log().wait_for("Damaged");
                    if self.away.is_owed(&of.name) {
                        self.away.wait_in_vain(server);
                    }
                    return Came::ReadRefused;
                }
            };
        }
        let stage = Stage::new(server.mqtt());
        stage.set_phase(Phase::heads(&stored));
        let receivers = vec![self.away.clone().run(&stage)];
        let history = History { senders: self.senders.clone(), stored, receivers };
        assert_eq!(check(&history), [], "{what}");
        Came::NothingLost
    }

    fn with(&self, file: usize, change: impl FnOnce(&mut File)) -> Image {
        let mut image = self.image.clone();
        change(&mut image.files[file]);
        image
    }
}

#[test]
fn an_undamaged_folder_starts_and_has_everything() {
    let closed = closed();
    for file in &closed.image.files {
        println!("{} bytes: {}", file.bytes.len(), file.path.display());
    }
    assert_eq!(closed.come_of(&closed.image, "no damage"), Came::NothingLost);
}

#[test]
fn a_flipped_bit_anywhere_is_refused_or_loses_nothing() {
    let mut random = Random::of_part(seed("damage, bits"), 0);
    let closed = closed();
    let mut came = Vec::new();
    for (number, file) in closed.image.files.iter().enumerate().filter(|(_, file)| is_of_messages(file)) {
        for at in places(file.bytes.len(), &mut random) {
            let image = closed.with(number, |file| file.flip(at, &mut random));
            let what = format!("byte {at} of {} of {}", file.bytes.len(), file.path.display());
            came.push(closed.come_of(&image, &what));
        }
    }
    let count = |wanted: Came| came.iter().filter(|came| **came == wanted).count();
    let (refused, reads, nothing) = (count(Came::Refused), count(Came::ReadRefused), count(Came::NothingLost));
    println!("{} flips: {refused} refused, {reads} refused by a read, {nothing} lost nothing", came.len());
    assert!(refused > 0);
}

#[test]
fn a_flipped_record_tag_of_the_journal_is_refused() {
    let mut random = Random::of_part(seed("damage, tags"), 0);
    let closed = closed();
    for journal in closed.image.journals() {
        let tags = records(&closed.image.files[journal].bytes);
        let mut chosen = vec![tags[0], tags[tags.len() - 1]];
        chosen.extend((0..4).map(|_| tags[random.below(tags.len() as u64) as usize]));
        for at in chosen {
            let image = closed.with(journal, |file| file.flip(at, &mut random));
            assert_eq!(closed.come_of(&image, &format!("the tag at {at}")), Came::Refused);
        }
    }
}

#[test]
fn a_lost_file_and_a_lost_tail_are_refused_or_lose_nothing() {
    let closed = closed();
    for (number, file) in closed.image.files.iter().enumerate().filter(|(_, file)| is_of_messages(file)) {
        let mut image = closed.image.clone();
        image.files.remove(number);
        closed.come_of(&image, &format!("{} is gone", file.path.display()));
    }
    let last = *closed.image.journals().last().unwrap();
    for bytes in [1, 13, 14, 200] {
        let image = closed.with(last, |file| file.bytes.truncate(file.bytes.len() - bytes));
        assert_eq!(closed.come_of(&image, &format!("the last {bytes} bytes are gone")), Came::Refused);
    }
}

/// What a crash leaves of a write that nobody was told of.
#[test]
fn a_torn_tail_of_the_journal_is_cut_off() {
    let mut random = Random::of_part(seed("damage, tails"), 0);
    let closed = closed();
    let last = *closed.image.journals().last().unwrap();
    let journal = &closed.image.files[last].bytes;
    let begin = records(journal).into_iter().rfind(|at| journal[*at] == 1).unwrap();
    let batch = &journal[begin..];
    for _ in 0..4 {
        let torn = &batch[..1 + random.below(batch.len() as u64 - 1) as usize];
        let image = closed.with(last, |file| file.bytes.extend_from_slice(torn));
        assert_eq!(closed.come_of(&image, &format!("{} bytes of a batch", torn.len())), Came::NothingLost);
    }
}

/// Of accounts and channels: SQLite's file, its log, and what is beside them.
#[test]
fn a_flipped_bit_in_accounts_is_refused_or_loses_nothing() {
    let mut random = Random::of_part(seed("damage, accounts"), 0);
    let closed = closed();
    let mut came = Vec::new();
    for image in [&closed.image, &closed.killed] {
        for (number, file) in image.files.iter().enumerate().filter(|(_, file)| is_of_accounts(file)) {
            for _ in 0..6 {
                let mut changed = image.clone();
                let at = random.below(file.bytes.len() as u64) as usize;
                changed.files[number].flip(at, &mut random);
                let what = format!("byte {at} of {} of {}", file.bytes.len(), file.path.display());
                came.push(closed.come_of(&changed, &what));
            }
        }
    }
    assert!(came.contains(&Came::Refused), "{came:?}");
}

fn is_of_accounts(file: &File) -> bool {
    file.path.to_string_lossy().starts_with("talaria.db") && !file.bytes.is_empty()
}

fn is_of_messages(file: &File) -> bool {
    !file.path.to_string_lossy().starts_with("talaria.db") && !file.bytes.is_empty()
}

/// One at each end, which hold what the rest is found by, and one anywhere.
fn places(length: usize, random: &mut Random) -> Vec<usize> {
    let mut within = |from: usize, to: usize| from + random.below((to - from) as u64) as usize;
    vec![within(0, length.min(32)), within(length.saturating_sub(40), length), within(0, length)]
}

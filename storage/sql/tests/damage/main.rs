//! A damaged byte anywhere in the files of the relational store: it is refused, or everything that was written is there. Never silence.
//!
//! `DAMAGE_SEED=n` replays a run, `DAMAGE_CASES=n` makes it longer.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

mod image;
mod random;
mod written;

use std::collections::BTreeMap;

use image::Image;
use random::Random;
use written::Written;

/// Bytes that are changed of each image, unless the environment says more.
const CASES: u64 = 100;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Came {
    Refused,
    NothingLost,
}

/// Opens what an image holds and reads everything. Panics where something is not as it was written.
async fn come_of(image: &Image, written: &Written, what: &str) -> Came {
    let folder = image.lay_out();
    match written::open(&folder).await {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Came::Refused
        }
        Ok(store) => match written.read(&store).await {
            Err(_) => Came::Refused,
            Ok(found) => {
                assert!(found == *written, "{what} was not noticed: {found:#?}");
                Came::NothingLost
            }
        },
    }
}

async fn flip_bytes(images: [(&str, Image); 2], written: &Written) {
    let mut random = Random::from_environment();
    let cases = std::env::var("DAMAGE_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    for (state, image) in images {
        let mut came: BTreeMap<_, u64> = BTreeMap::new();
        for case in 0..cases {
            // Half of them where nearly everything is.
            let any = random.below(2 * image.files.len() as u64) as usize;
            let file = if any < image.files.len() { any } else { image.file("talaria.db") };
            let (name, bytes) = &image.files[file];
            if bytes.is_empty() {
                continue;
            }
            let (at, bit) = (random.below(bytes.len() as u64) as usize, random.below(8));
            let mut damaged = image.clone();
            damaged.files[file].1[at] ^= 1 << bit;
            let what = format!("{state}, case {case}: bit {bit} of byte {at} of {name}");
            let outcome = come_of(&damaged, written, &what).await;
            *came.entry((name.clone(), outcome)).or_default() += 1;
        }
        println!("{state}: {came:?}");
        assert!(came.contains_key(&("talaria.db".to_owned(), Came::Refused)), "no damage was met at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_changed_is_never_silent() {
    let (written, closed, crashed) = written::make().await;
    for image in [&closed, &crashed] {
        assert_eq!(come_of(image, &written, "nothing").await, Came::NothingLost);
    }
    flip_bytes([("closed", closed), ("crashed", crashed)], &written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_the_small_files_may_change() {
    let (written, closed, _) = written::make().await;
    for (file, (name, bytes)) in closed.files.iter().enumerate().filter(|(_, (name, _))| name != "talaria.db") {
        for at in 0..bytes.len() {
            let mut damaged = closed.clone();
            damaged.files[file].1[at] ^= 0x10;
            // The number of commits is in two places and the seal is only a short cut: neither costs anything that was written.
            let came = come_of(&damaged, &written, &format!("byte {at} of {name}")).await;
            assert_eq!(came, Came::NothingLost, "byte {at} of {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_ends_before_what_was_acknowledged_is_refused() {
    let (written, _, crashed) = written::make().await;
    let log = crashed.file("talaria.db-wal");
    let length = crashed.files[log].1.len();
    let mut came = BTreeMap::new();
    // A frame is a page and 24 bytes, behind a header of 32 (sqlite.org/walformat.html).
    for end in (0..=length).step_by(4096 + 24).map(|at| (at + 32).min(length)).chain([0, 31, length - 1]) {
        let mut cut = crashed.clone();
        cut.files[log].1.truncate(end);
        *came.entry(come_of(&cut, &written, &format!("the log ends at {end} of {length}")).await).or_insert(0) += 1;
    }
    // Only the whole one holds everything.
    assert_eq!(came.get(&Came::NothingLost), Some(&1), "{came:?}");
    let mut gone = crashed.clone();
    gone.files.remove(log);
    assert_eq!(come_of(&gone, &written, "no log").await, Came::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_of_the_database_is_refused_unless_it_was_put_back_as_a_whole() {
    let (written, closed, _) = written::make().await;
    let older = written::older_image().await;
    assert_eq!(written::open(&older.lay_out()).await.map(drop).map_err(drop), Ok(()), "as a whole");
    let mut mixed = older.clone();
    let number = mixed.file("talaria.db.commits");
    mixed.files[number] = closed.files[closed.file("talaria.db.commits")].clone();
    assert_eq!(come_of(&mixed, &written, "an older database").await, Came::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_does_not_seal_what_it_did_not_look_at() {
    let (written, _, crashed) = written::make().await;
    // A name in a row, which no structure depends on.
    let mut damaged = crashed.clone();
    let (at, file) = damaged.find(written::NAME.as_bytes());
    damaged.files[file].1[at] ^= 1;
    let folder = damaged.lay_out();
    if let Ok(command) = written::open_beside(&folder).await {
        command.close().await.unwrap();
    }
    let server = written::open(&folder).await;
    assert!(server.is_err(), "{:?}", written.read(&server.unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_at_rest_is_told_to_a_command_too() {
    let (written, closed, _) = written::make().await;
    let mut damaged = closed.clone();
    let (at, file) = damaged.find(written::NAME.as_bytes());
    damaged.files[file].1[at] ^= 1;
    assert!(written::open_beside(&damaged.lay_out()).await.is_err());
    assert_eq!(come_of(&closed, &written, "nothing").await, Came::NothingLost);
}

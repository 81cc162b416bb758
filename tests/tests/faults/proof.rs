//! The whole test sees real damage: the same clients, server and checker on a run that must be red.

use std::fs;
use std::path::Path;

use talaria_tests::{Home, Server};

use crate::checker::{Violation, check};
use crate::load::{Load, address};
use crate::seed::seed;

/// Of a round. More than windows of all senders, so that there is something behind what is acknowledged.
const ACKNOWLEDGED: u64 = 300;
const KILLS: usize = 5;

/// What the folder had acknowledged is gone, as from a disk that lies about its syncs.
#[test]
fn a_folder_that_went_back_in_time_is_found() {
    let server = Server::start(Home::new().with("TALARIA_LISTEN__MQTT", &address(1).to_string()));
    let load = Load::start(&server, seed("proof of loss"));
    load.stage.wait_for_acknowledged(ACKNOWLEDGED);
    let home = server.kill();
    let earlier = home.folder().join("earlier");
    copy(&home.data(), &earlier);
    let server = Server::start(home);
    load.stage.wait_for_acknowledged(2 * ACKNOWLEDGED);
    let home = server.kill();
    fs::remove_dir_all(home.data()).unwrap();
    fs::rename(&earlier, home.data()).unwrap();
    let server = Server::start(home);

    let found = check(&load.finish(&server));
    let has = |kind: fn(&Violation) -> bool| assert!(found.iter().any(kind), "{found:?}");
    has(|violation| matches!(violation, Violation::Lost { .. }));
    has(|violation| matches!(violation, Violation::Vanished { .. }));
}

/// After a crash nothing but DUP tells a resend from a new message: clients that forget it are stored twice, and it shows.
#[test]
fn what_is_stored_twice_is_found() {
    let mut server = Server::start(Home::new().with("TALARIA_LISTEN__MQTT", &address(2).to_string()));
    let load = Load::start_with(&server, seed("proof of doubles"), |habits| habits.sets_dup = false);
    for _ in 0..KILLS {
        load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
        server = Server::start(server.kill());
    }
    let found = check(&load.finish(&server));
    let twice = found.iter().filter(|violation| matches!(violation, Violation::StoredTwice { .. })).count();
    println!("{twice} messages were stored twice");
    assert!(twice > 0, "{found:?}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

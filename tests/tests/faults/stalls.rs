//! Connections that break and a server that stands still, without a crash: what is sent again is known, and nothing is lost.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use talaria_core::limits::SETTLE_DEADLINE_S;
use talaria_tests::{Home, Server};

use crate::checker::check;
use crate::load::{Load, address};
use crate::seed::{Random, seed};

const STOPS: u64 = 6;
const STOP_MS_MAX: u64 = 1_500;
const ACKNOWLEDGED: u64 = 150;

/// SIGSTOP: the kernel goes on taking connections and bytes, of clients that have lost patience meanwhile.
#[test]
fn a_server_that_stands_still_for_a_while_loses_nothing() {
    let seed = seed("stops");
    let mut random = Random::of_part(seed, 1_000);
    let server = Server::start(Home::new().with("TALARIA_LISTEN__MQTT", &address(7).to_string()));
    let load = Load::start_with(&server, seed, |habits| habits.patience = Duration::from_millis(300));
    let mut stops: Vec<_> = (0..STOPS).map(|_| Duration::from_millis(random.below(STOP_MS_MAX))).collect();
    // Longer than a publish may take.
    stops.push(Duration::from_secs(u64::from(SETTLE_DEADLINE_S) + 1));
    for stop in stops {
        load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
        server.signal(Signal::STOP);
        // The fault itself.
        sleep(stop);
        server.signal(Signal::CONT);
    }
    load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
    assert_eq!(check(&load.finish(&server)), []);
    drop(server.stop());
}

#[test]
fn clients_that_reconnect_with_publishes_under_way_lose_and_double_nothing() {
    let server = Server::start(Home::new().with("TALARIA_LISTEN__MQTT", &address(8).to_string()));
    let load = Load::start_with(&server, seed("cuts"), |habits| habits.cut_once_in = Some(20));
    load.stage.wait_for_acknowledged(20 * ACKNOWLEDGED);
    assert_eq!(check(&load.finish(&server)), []);
    drop(server.stop());
}

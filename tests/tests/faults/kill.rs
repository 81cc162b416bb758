//! `kill -9` in the middle of load, while starting and while draining: nothing acknowledged is lost, nothing is stored twice, nothing
//! comes out of order, at sessions that are there and at sessions that are away (INV-1 to INV-4).

use std::process::Stdio;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use talaria_tests::{Home, Server};

use crate::checker::check;
use crate::load::{Load, address};
use crate::seed::{Random, seed};

/// How a round ends.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// While publishes are under way.
    UnderLoad,
    /// While it drains.
    InDrain,
    /// And again while it starts, once or more.
    InStart,
}

const ROUNDS: [(Kill, usize); 3] = [(Kill::UnderLoad, 11), (Kill::InDrain, 4), (Kill::InStart, 5)];
/// Publishes acknowledged in a round before its kill, at least one and at most these.
const ACKNOWLEDGED_MAX: u64 = 400;
/// What a drain takes, and then some.
const DRAIN_MICROS_MAX: u64 = 60_000;
/// What a start takes, and then some.
const START_MICROS_MAX: u64 = 250_000;
const STARTS_MAX: u64 = 3;

#[test]
fn twenty_kills_lose_nothing_double_nothing_and_keep_the_order() {
    let seed = seed("kill");
    let mut random = Random::of_part(seed, 1_000);
    let mut rounds: Vec<Kill> = ROUNDS.iter().flat_map(|(kill, times)| vec![*kill; *times]).collect();
    random.shuffle(&mut rounds);
    assert_eq!(rounds.len(), 20);

    let home = Home::new().with("TALARIA_LISTEN__MQTT", &address(0).to_string());
    let mut server = Server::start(home);
    let load = Load::start(&server, seed);
    for (number, kill) in rounds.into_iter().enumerate() {
        load.stage.wait_for_acknowledged(load.stage.acknowledged() + 1 + random.below(ACKNOWLEDGED_MAX));
        println!("round {number}: {kill:?} after {} acknowledged", load.stage.acknowledged());
        load.stage.next_round();
        server = Server::start(end(server, kill, &mut random));
    }
    let history = load.finish(&server);
    println!("{} events stored, {} sent", history.stored.values().map(Vec::len).sum::<usize>(), sent(&history));
    assert_eq!(check(&history), []);
}

fn end(server: Server, kill: Kill, random: &mut Random) -> Arc<Home> {
    // Not for anything to happen: the moment of the kill is what is drawn.
    let a_while = |random: &mut Random, micros_max| sleep(Duration::from_micros(random.below(micros_max)));
    match kill {
        Kill::UnderLoad => server.kill(),
        Kill::InDrain => {
            server.signal(Signal::TERM);
            a_while(random, DRAIN_MICROS_MAX);
            server.kill()
        }
        Kill::InStart => {
            let home = server.kill();
            for _ in 0..1 + random.below(STARTS_MAX) {
                let mut child = home.command(["serve"]).stderr(Stdio::null()).spawn().unwrap();
                a_while(random, START_MICROS_MAX);
                child.kill().unwrap();
                child.wait().unwrap();
            }
            home
        }
    }
}

fn sent(history: &crate::history::History) -> usize {
    history.senders.iter().map(|sender| sender.sent.len()).sum()
}

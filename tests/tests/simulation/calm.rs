//! The end of a round: nothing goes wrong any more, everybody comes back, and all that is owed arrives. Then everything falls asleep,
//! and nothing is left in memory that nobody needs.

use talaria_port::directory::{Claims as _, Directory as _};

use crate::client::{Client, Subscription};
use crate::node::Node;
use crate::plan::Step;
use crate::world::World;

/// Turns of everything within which it has to come to rest.
const TURNS_MAX: usize = 3_000;
/// Milliseconds of a turn.
const TURN_MS: usize = 400;
/// So many turns without any movement are rest: longer than any backoff, and than marks wait.
const QUIET_TURNS: usize = 20;
/// Milliseconds after which conversations fall asleep.
const ASLEEP_AFTER_MS: usize = 70_000;
/// Calls of upkeep that look through everything.
const UPKEEPS: usize = 20;

impl World {
    /// Until nothing moves.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        if self.node.as_ref().is_some_and(|node| node.is_draining) {
            self.crash();
        }
        self.start();
        self.calm();
        // Wires have their room from the beginning; and a full one of an earlier manner would never be read.
        self.clients.iter_mut().for_each(Client::cut_all);
        let mut quiet = 0;
        for _ in 0..TURNS_MAX {
            quiet = if self.turn_all(true)? { 0 } else { quiet + 1 };
            if quiet >= QUIET_TURNS {
                return Ok(());
            }
        }
        let waiting: Vec<_> = self.clients.iter().filter(|client| !client.is_at_rest()).collect();
        Err(format!("it does not come to rest: {:?}", waiting.iter().map(|client| client.index).collect::<Vec<_>>()))
    }

    /// Everything has its turn; whether anything moved.
    fn turn_all(&mut self, reconnects: bool) -> Result<bool, String> {
        self.pass(TURN_MS..TURN_MS + 1);
        let mut has_moved = !self.has_answered_changes();
        for at in 0..self.clients.len() {
            if reconnects && self.clients[at].link.is_none() && !self.clients[at].manner.says_the_same {
                self.connect_client(at, false);
                has_moved = true;
            }
            let client = &mut self.clients[at];
            if client.is_live() && client.subscription == Subscription::No && !client.manner.says_the_same {
                client.turn_subscription();
            }
            has_moved |= self.act(at)?;
            has_moved |= reconnects && !self.clients[at].is_at_rest();
        }
        for on_loop in 0..usize::from(self.plan.loops) {
            self.turn(on_loop);
        }
        for _ in 0..100 {
            if self.node.as_ref().is_none_or(|node| node.tasks.count() == 0) {
                break;
            }
            self.take(Step::Task)?;
        }
        // Some task runs every second; one that is not done by now matters.
        has_moved |= self.node.as_ref().is_some_and(|node| node.tasks.count() > 0);
        for _ in 0..4 {
            has_moved |= self.node.as_mut().is_some_and(Node::step_committer);
        }
        self.take(Step::Release)?;
        Ok(has_moved)
    }

    /// Nobody does anything: connections have nothing but themselves, conversations sleep, and a checkpoint bounds what waking them
    /// reads. Then everybody leaves, and nothing is left of them.
    pub(crate) fn fall_asleep(&mut self) -> Result<(), String> {
        self.pass(ASLEEP_AFTER_MS..ASLEEP_AFTER_MS + 1);
        for _ in 0..UPKEEPS {
            self.turn_all(false)?;
        }
        let Some(node) = &self.node else { return Ok(()) };
        let busy = node.broker.busy();
        if busy > 0 {
            return Err(format!("{busy} connections have something to do while nothing moves"));
        }
        let awake = node.bridge.awake();
        if awake > 0 {
            return Err(format!("{awake} conversations are awake while nobody writes to them"));
        }
        self.everybody_leaves()
    }

    fn everybody_leaves(&mut self) -> Result<(), String> {
        self.clients.iter_mut().for_each(Client::disconnect);
        for _ in 0..QUIET_TURNS {
            self.turn_all(false)?;
        }
        let Some(node) = &self.node else { return Ok(()) };
        for (user, _) in &self.users {
            let mut found = Vec::new();
            node.directory.addresses(*user, &mut found);
            if !found.is_empty() || !node.claims.held_by(*user).is_empty() {
                return Err(format!("something is left of the connections of {user}"));
            }
        }
        Ok(())
    }
}

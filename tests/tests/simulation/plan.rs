//! What a round is like: drawn from its seed first, so that rounds differ in kind and not in detail only.

use crate::dice::Dice;

/// One step of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// One loop has a turn.
    Turn,
    /// One task is polled.
    Task,
    /// The committer begins or ends a round.
    Commit,
    /// One client sends, receives, acknowledges.
    Client,
    Say,
    Connect,
    Cut,
    TakeOver,
    Disconnect,
    TurnSubscription,
    ChangeMembers,
    TimePasses,
    /// Long enough for marks, deadlines and conversations that fall asleep.
    MuchTimePasses,
    /// Until just before a window of the index ends, so that what follows lies on both sides.
    WindowEnds,
    ClockSteps,
    CommitFails,
    ReadsFail,
    Release,
    Revoke,
    Drain,
    Crash,
}

/// What happens always, how often; what happens in some rounds, how often there.
const ALWAYS: &[(Step, usize)] = &[
    (Step::Turn, 260),
    (Step::Task, 260),
    (Step::Commit, 150),
    (Step::Client, 300),
    (Step::Say, 110),
    (Step::Connect, 60),
    (Step::TimePasses, 60),
    (Step::Release, 12),
];
const SOMETIMES: &[(Step, usize)] = &[
    (Step::Cut, 14),
    (Step::TakeOver, 10),
    (Step::Disconnect, 6),
    (Step::TurnSubscription, 5),
    (Step::ChangeMembers, 8),
    (Step::MuchTimePasses, 8),
    (Step::WindowEnds, 8),
    (Step::ClockSteps, 3),
    (Step::CommitFails, 14),
    (Step::ReadsFail, 5),
    (Step::Revoke, 1),
    (Step::Drain, 2),
    (Step::Crash, 6),
];

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: usize,
    pub(crate) loops: u16,
    pub(crate) users: usize,
    pub(crate) channels: usize,
    pub(crate) clients_per_user: usize,
    /// How many in a hundred messages go to one conversation.
    pub(crate) favourite_percent: usize,
    /// How often a call of a store is not answered at once.
    pub(crate) slow_percent: usize,
    pub(crate) are_handles_known: bool,
    /// Bytes of the longest text.
    pub(crate) text_bytes_max: usize,
    weights: Vec<(Step, usize)>,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut weights = ALWAYS.to_vec();
        weights.extend(SOMETIMES.iter().filter(|_| dice.percent(60)));
        Self {
            steps: dice.within(500..2_000),
            loops: dice.within(1..4) as u16,
            users: dice.within(2..5),
            channels: dice.below(4),
            clients_per_user: dice.within(1..4),
            favourite_percent: dice.pick(&[0, 50, 90]),
            slow_percent: dice.pick(&[0, 40, 80]),
            are_handles_known: dice.one_in(2),
            text_bytes_max: dice.pick(&[20, 300, 300, 20_000]),
            weights,
        }
    }

    /// What happens next.
    pub(crate) fn step(&self, dice: &mut Dice) -> Step {
        let sum: usize = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut at = dice.below(sum);
        for (step, weight) in &self.weights {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return *step,
            }
        }
        Step::Turn
    }
}

//! How a client behaves: drawn once, kept for the round.

use talaria_codec::{QoS, Version};

use crate::dice::Dice;

/// When it acknowledges what it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acking {
    AtOnce,
    /// Some time later, in any order.
    Late,
    /// Not before it is calm.
    Never,
}

#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) version: Version,
    /// Clean start off, and a session that outlives its connections.
    pub(crate) is_persistent: bool,
    /// Resends what was not answered with DUP, as paho does; else without, as rumqttc does.
    pub(crate) marks_dup: bool,
    /// Publishes one and the same text again and again, each time with a connection of its own.
    pub(crate) says_the_same: bool,
    pub(crate) inbox_qos: QoS,
    pub(crate) filters: Vec<String>,
    /// Whether its filters cover `events`.
    pub(crate) hears_events: bool,
    /// Subscribes on every connection, also where the session is there.
    pub(crate) resubscribes: bool,
    /// Acknowledges on a new connection what an earlier one brought.
    pub(crate) acks_late_events: bool,
    pub(crate) acking: Acking,
    /// Most bytes that it reads in one go.
    pub(crate) read_bytes: usize,
    /// What fits on its wire.
    pub(crate) room_bytes: usize,
    pub(crate) receive_max: Option<u16>,
    pub(crate) packet_bytes_max: Option<u32>,
    pub(crate) keep_alive_s: u16,
    pub(crate) has_will: bool,
    /// Packet ids go from 1 up to here and begin again.
    pub(crate) packet_id_max: u16,
}

impl Manner {
    /// Of a user with these names.
    pub(crate) fn draw(dice: &mut Dice, user: &str, handle: &str) -> Self {
        let version = dice.pick(&[Version::V311, Version::V5]);
        let says_the_same = dice.one_in(8);
        let is_persistent = !says_the_same && dice.percent(75);
        let spelling = dice.pick(&["me", "me", user, handle]);
        let leaves = dice.pick(&[&["inbox"][..], &["inbox", "events"], &["#"], &["+"]]);
        let is_slow = dice.one_in(3);
        let five = |dice: &mut Dice| version == Version::V5 && dice.one_in(3);
        Self {
            version,
            is_persistent,
            marks_dup: dice.percent(60),
            says_the_same,
            inbox_qos: if dice.one_in(6) { QoS::AtMostOnce } else { QoS::AtLeastOnce },
            filters: leaves.iter().map(|leaf| format!("user/{spelling}/{leaf}")).collect(),
            hears_events: leaves.len() > 1 || leaves[0].len() == 1,
            resubscribes: dice.percent(50),
            acks_late_events: is_persistent && dice.one_in(2),
            acking: dice.pick(&[Acking::AtOnce, Acking::AtOnce, Acking::Late, Acking::Late, Acking::Never]),
            read_bytes: if is_slow { dice.within(1..60) } else { 100_000 },
            room_bytes: if is_slow { dice.within(40..2_000) } else { 100_000 },
            receive_max: five(dice).then(|| dice.within(1..6) as u16),
            packet_bytes_max: five(dice).then(|| dice.within(260..400) as u32),
            keep_alive_s: if dice.one_in(6) { dice.within(20..90) as u16 } else { 0 },
            has_will: dice.one_in(4),
            packet_id_max: dice.within(12..60) as u16,
        }
    }

    /// Whether a session of its own holds what it did not acknowledge.
    pub(crate) fn is_held(&self) -> bool {
        self.is_persistent && self.inbox_qos == QoS::AtLeastOnce
    }

    /// Reads and acknowledges all at once from now on.
    pub(crate) fn calm(&mut self) {
        self.acking = Acking::AtOnce;
        (self.read_bytes, self.room_bytes) = (1 << 20, 1 << 20);
        self.keep_alive_s = 0;
    }
}

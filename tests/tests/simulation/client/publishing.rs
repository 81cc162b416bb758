//! What a client has in flight: publishes until they are answered, over connections and crashes.

use std::num::NonZeroU16;

use talaria_codec::{Ack, Packet, Publish, QoS, Version};
use talaria_core::ConversationId;

use super::link::Link;
use super::{Client, Scene};
use crate::ledger::{self, Said};
use crate::observer;

/// Publishes in flight at once.
const FLIGHTS_MAX: usize = 10;

/// A publish at QoS 1 or 2 that is not answered yet.
#[derive(Debug)]
pub(crate) struct Flight {
    /// Its number in the ledger; `None` for what is never stored.
    pub(crate) said: Option<usize>,
    pub(crate) packet_id: NonZeroU16,
    pub(crate) qos: QoS,
    topic: String,
    payload: Vec<u8>,
    has_key: bool,
    /// PUBREC came: PUBREL is what is sent again.
    pub(crate) is_released: bool,
    /// Number of the connection that it was last sent on, and the process at its other end.
    sent_on: u64,
    incarnation: u64,
    /// The server may have written an answer that was not read.
    may_be_answered: bool,
    was_resent: bool,
    /// A clean start ended the session since, and what it knew of QoS 2.
    pub(super) is_forgotten: bool,
}

/// What to say.
pub(crate) struct Saying {
    pub(crate) conversation: ConversationId,
    pub(crate) topic: String,
    pub(crate) text: String,
    pub(crate) key: Option<String>,
    /// The key was used before.
    pub(crate) shares_its_key: bool,
    pub(crate) qos: QoS,
}

impl Client {
    /// Whether one more publish may be in flight.
    pub(crate) fn has_room(&self) -> bool {
        self.flights.len() < FLIGHTS_MAX
    }

    /// Publishes a message.
    pub(crate) fn say(&mut self, saying: Saying, scene: &mut Scene<'_>) {
        let payload = match &saying.key {
            Some(key) => format!(r#"{{"key":"{key}","text":"{}"}}"#, saying.text),
            None if scene.dice.one_in(2) => format!(r#"{{"text":"{}"}}"#, saying.text),
            None => saying.text.clone(),
        };
        let manner = match saying {
            Saying { shares_its_key: true, .. } => ledger::Manner::SharesItsKey,
            _ if self.manner.says_the_same => ledger::Manner::SameAgain,
            Saying { qos: QoS::AtMostOnce, .. } => ledger::Manner::Loose,
            _ => ledger::Manner::Ordinary,
        };
        let said = scene.ledger.enter(Said {
            client: self.index,
            user: self.user,
            conversation: saying.conversation,
            text: saying.text,
            key: saying.key.clone(),
            manner,
            may_repeat: false,
            answer: None,
            head: observer::head(scene.store, saying.conversation),
        });
        self.publish(Some(said), saying.topic, payload.into(), saying.key.is_some(), saying.qos);
    }

    /// Publishes something; at QoS 0 it is forgotten at once.
    pub(crate) fn publish(&mut self, said: Option<usize>, topic: String, payload: Vec<u8>, has_key: bool, qos: QoS) {
        let Some(mut link) = self.link.take() else { return };
        let packet_id = self.free_packet_id();
        let mut flight = Flight {
            said,
            packet_id,
            qos,
            topic,
            payload,
            has_key,
            is_released: false,
            sent_on: 0,
            incarnation: 0,
            may_be_answered: false,
            was_resent: false,
            is_forgotten: false,
        };
        flight.send(&mut link, false);
        if qos != QoS::AtMostOnce {
            self.flights.push_back(flight);
        }
        self.link = Some(link);
    }

    fn free_packet_id(&mut self) -> NonZeroU16 {
        loop {
            self.next_packet_id = self.next_packet_id % self.manner.packet_id_max + 1;
            // The same client does the same each time.
            let packet_id = if self.manner.says_the_same { 1 } else { self.next_packet_id };
            if let Some(free) = NonZeroU16::new(packet_id)
                && self.flights.iter().all(|flight| flight.packet_id != free)
            {
                return free;
            }
        }
    }

    /// Sends again what was not answered, in its order and before anything new.
    pub(super) fn resend(&mut self, link: &mut Link, scene: &mut Scene<'_>) {
        // Of what comes behind a publish that counts as new, nothing counts as a resend (PROTOCOL "Never twice").
        let mut is_known = true;
        for flight in &mut self.flights {
            if flight.is_released {
                link.write(&Packet::PubRel(Ack::success(flight.packet_id)));
                continue;
            }
            let is_same_process = flight.incarnation == link.incarnation;
            let is_held = flight.qos == QoS::ExactlyOnce && self.manner.is_persistent && !flight.is_forgotten;
            is_known &= is_same_process && (!flight.may_be_answered || is_held);
            if let Some(said) = flight.said
                && !self.manner.marks_dup
                && !is_known
                && !flight.has_key
            {
                scene.ledger.said[said].may_repeat = true;
            }
            flight.send(link, self.manner.marks_dup);
            flight.was_resent = true;
        }
    }

    /// A later connection is there: what the earlier ones came to is known by now.
    pub(super) fn account_for_old(&mut self, scene: &mut Scene<'_>) {
        let mut is_clean = false;
        for link in self.old.iter_mut().filter(|link| !link.is_accounted_for) {
            link.is_accounted_for = true;
            link.learn_fate();
            let Some(fate) = &link.fate else { continue };
            is_clean |= fate.is_clean;
            for flight in self.flights.iter_mut().filter(|flight| flight.sent_on == link.number) {
                flight.may_be_answered |= fate.may_have_answered(flight.packet_id.get());
            }
        }
        // A clean DISCONNECT ended what was acknowledged, also for a resend with DUP.
        for flight in self.flights.iter().filter(|flight| is_clean && flight.may_be_answered && !flight.has_key) {
            if let Some(said) = flight.said {
                scene.ledger.said[said].may_repeat = true;
            }
        }
    }
}

impl Flight {
    fn send(&mut self, link: &mut Link, dup: bool) {
        let packet_id = (self.qos != QoS::AtMostOnce).then_some(self.packet_id);
        link.write(&Packet::Publish(Publish {
            dup,
            qos: self.qos,
            retain: false,
            topic: &self.topic,
            packet_id,
            properties: Default::default(),
            payload: &self.payload,
        }));
        if let Some(packet_id) = packet_id {
            link.publishes.push_back((self.qos, packet_id.get()));
        }
        (self.sent_on, self.incarnation) = (link.number, link.incarnation);
        self.is_forgotten = false;
    }

    /// Whether its PUBACK says surely that it was stored: 3.1.1 has no word for a refusal, and a rejection comes once.
    pub(super) fn is_surely_told(&self, version: Version, hears_rejections: bool) -> bool {
        version == Version::V5 || hears_rejections && !self.was_resent || self.topic.starts_with("user/")
    }
}

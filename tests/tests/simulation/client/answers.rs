//! The server's packets, each held against what was promised.

use std::num::NonZeroU16;

use serde::Deserialize;
use talaria_codec::{Ack, Direction, Packet, Publish, QoS, ReasonCode, Version, decode};
use talaria_core::ConversationId;

use super::link::{Link, told};
use super::publishing::Flight;
use super::sight::Sight;
use super::{Client, Scene, Subscription};
use crate::ledger::Answer;
use crate::observer;
use crate::sabotage::Sabotage;

/// What a delivery's payload tells.
#[derive(Deserialize)]
struct Envelope {
    id: Option<String>,
    conv: Option<String>,
    seq: Option<u64>,
    r#type: String,
    packet_id: Option<u16>,
}

impl Client {
    pub(super) fn on_packet(
        &mut self,
        link: &mut Link,
        place: u64,
        bytes: &[u8],
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        let packet = decode(bytes, link.version, Direction::ToClient)
            .map_err(|error| format!("the server sent a packet that is none: {error}"))?;
        if scene.is_traced {
            println!("    client {} link {} gets {}", self.index, link.number, told(&packet));
        }
        let counts = !link.is_zombie;
        match packet {
            Packet::Publish(publish) => self.on_publish(link, place, &publish, scene),
            Packet::ConnAck(connack) if counts && connack.reason == ReasonCode::Success => {
                self.on_connack(link, connack.session_present, scene)
            }
            Packet::SubAck(suback) if counts => self.on_suback(link, &suback.reasons.iter().collect::<Vec<_>>(), scene),
            Packet::UnsubAck(_) if counts => {
                if self.subscription == Subscription::Ending {
                    self.subscription = Subscription::No;
                }
                Ok(())
            }
            Packet::PubAck(ack) if counts => self.on_answer(link, QoS::AtLeastOnce, &ack, scene),
            Packet::PubRec(ack) if counts => self.on_answer(link, QoS::ExactlyOnce, &ack, scene),
            Packet::PubAck(ack) | Packet::PubRec(ack) => {
                link.unheard.insert(ack.packet_id.get());
                Ok(())
            }
            Packet::PubComp(ack) if counts => self.on_pubcomp(ack.packet_id),
            _ => Ok(()),
        }
    }

    fn on_connack(&mut self, link: &mut Link, is_present: bool, scene: &mut Scene<'_>) -> Result<(), String> {
        if is_present && link.is_clean_start {
            return Err("a clean start found a session".into());
        }
        if !is_present && !link.is_clean_start && self.has_session {
            return Err("a session is lost".into());
        }
        self.has_session = self.manner.is_persistent;
        if !is_present || self.sights.is_empty() {
            self.sights.push(Sight::default());
        }
        if !is_present {
            self.subscription = Subscription::No;
        }
        link.is_live = true;
        link.sight = self.sights.len() - 1;
        self.account_for_old(scene);
        if is_present
            && !self.manner.is_held()
            && let Some(sight) = self.sights.last_mut()
        {
            sight.close();
            if self.subscription == Subscription::Confirmed {
                sight.confirm(scene.heads());
            }
        }
        link.acks.extend(std::mem::take(&mut self.late_acks));
        let subscribes = self.subscription != Subscription::Confirmed || self.manner.resubscribes;
        let is_first = scene.dice.one_in(2);
        if self.manner.says_the_same {
            return Ok(());
        }
        if subscribes && is_first {
            self.subscribe(link);
        }
        self.resend(link, scene);
        if subscribes && !is_first {
            self.subscribe(link);
        }
        Ok(())
    }

    fn on_suback(&mut self, link: &mut Link, reasons: &[ReasonCode], scene: &Scene<'_>) -> Result<(), String> {
        let granted = |reason: &ReasonCode| *reason as u8 == self.manner.inbox_qos.number();
        // Nobody could say just now whose handle it is.
        if reasons.iter().any(|reason| reason.number() >= 0x80) {
            self.subscribe(link);
            return Ok(());
        }
        if !reasons.iter().all(granted) {
            return Err(format!("a subscription to one's own topics was answered with {reasons:?}"));
        }
        if self.subscription == Subscription::Asked {
            self.subscription = Subscription::Confirmed;
            if let Some(sight) = self.sights.last_mut() {
                sight.confirm(scene.heads());
            }
        }
        Ok(())
    }

    /// PUBACK or PUBREC.
    fn on_answer(&mut self, link: &mut Link, qos: QoS, ack: &Ack<'_>, scene: &mut Scene<'_>) -> Result<(), String> {
        let packet_id = ack.packet_id.get();
        // MQTT-4.6.0-2 and -3: in the order of the publishes.
        let at = link.publishes.iter().position(|(of, _)| *of == qos);
        if at.and_then(|at| link.publishes.remove(at)) != Some((qos, packet_id)) {
            return Err(format!("an answer to packet id {packet_id} out of its order, or to nothing"));
        }
        let Some(at) = self.flights.iter().position(|flight| flight.packet_id == ack.packet_id) else {
            return Err(format!("an answer to packet id {packet_id}, which is not in flight"));
        };
        let answer = self.answer_of(link, &self.flights[at], ack);
        if let Some(said) = self.flights[at].said {
            scene.ledger.answer(said, answer);
        }
        if qos == QoS::ExactlyOnce && !(answer == Answer::Refused && link.version == Version::V5) {
            self.flights[at].is_released = true;
            link.write(&Packet::PubRel(Ack::success(ack.packet_id)));
        } else {
            self.flights.remove(at);
            if self.manner.says_the_same {
                link.is_done = true;
            }
        }
        Ok(())
    }

    fn answer_of(&self, link: &mut Link, flight: &Flight, ack: &Ack<'_>) -> Answer {
        if ack.reason.is_failure() {
            return Answer::Refused;
        }
        let packet_id = ack.packet_id.get();
        if let Some(at) = link.rejected.iter().position(|rejected| *rejected == packet_id) {
            link.rejected.remove(at);
            return Answer::Refused;
        }
        let hears_rejections = self.manner.hears_events && self.subscription == Subscription::Confirmed;
        if !flight.is_surely_told(link.version, hears_rejections) {
            return Answer::Unclear;
        }
        let number = |name| ack.properties.user_properties.get(name)?.parse().ok();
        Answer::Stored(number("id").zip(number("seq")))
    }

    fn on_pubcomp(&mut self, packet_id: NonZeroU16) -> Result<(), String> {
        let at = self.flights.iter().position(|flight| flight.packet_id == packet_id && flight.is_released);
        let at = at.ok_or_else(|| format!("PUBCOMP {packet_id} for nothing that was released"))?;
        self.flights.remove(at);
        Ok(())
    }

    /// A delivery or a hint.
    fn on_publish(
        &mut self,
        link: &mut Link,
        place: u64,
        publish: &Publish<'_>,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        let envelope: Envelope = serde_json::from_slice(publish.payload)
            .map_err(|error| format!("a payload that is no envelope: {error}"))?;
        let (Some(id), Some(conv), Some(seq)) = (&envelope.id, &envelope.conv, envelope.seq) else {
            if envelope.r#type == "rejected" {
                link.rejected.extend(envelope.packet_id);
            }
            return Ok(());
        };
        if self.subscription == Subscription::No && !link.is_zombie {
            return Err(format!("{conv} {seq} came without a subscription"));
        }
        let conversation: ConversationId = conv.parse().map_err(|_| format!("no conversation: {conv}"))?;
        self.check_delivery(link, publish)?;
        check_event(scene, conversation, seq, id, publish.payload)?;
        let is_forbidden = link.barriers.iter().any(|barrier| {
            barrier.conversation == conversation
                && barrier.from.is_some_and(|from| place >= from)
                && seq < barrier.left_seq
        });
        if is_forbidden {
            return Err(format!(
                "INV-5: {conversation} {seq} was sent to {} after the removal was answered",
                self.user
            ));
        }
        if let Some(packet_id) = publish.packet_id {
            link.outstanding.push_back(packet_id.get());
            link.acks.push_back(packet_id.get());
        }
        self.see(link.sight, conversation, seq, scene.sabotage)
    }

    /// What holds for every delivery, whatever it brings.
    fn check_delivery(&self, link: &Link, publish: &Publish<'_>) -> Result<(), String> {
        if publish.qos != self.manner.inbox_qos {
            return Err(format!("a delivery at {:?}", publish.qos));
        }
        let Some(packet_id) = publish.packet_id else { return Ok(()) };
        if link.outstanding.contains(&packet_id.get()) {
            return Err(format!("packet id {packet_id} is used again before it is acknowledged"));
        }
        if let Some(receive_max) = self.manner.receive_max
            && link.outstanding.len() >= usize::from(receive_max)
        {
            return Err(format!("more than {receive_max} deliveries are in flight"));
        }
        Ok(())
    }

    fn see(
        &mut self,
        sight: usize,
        conversation: ConversationId,
        seq: u64,
        sabotage: &mut Option<Sabotage>,
    ) -> Result<(), String> {
        let counts = self.manner.is_held() && matches!(conversation, ConversationId::Dm(_)) && seq > 2;
        if counts && *sabotage == Some(Sabotage::DropsADelivery) {
            *sabotage = None;
            return Ok(());
        }
        if counts && *sabotage == Some(Sabotage::SwapsDeliveries) {
            *sabotage = None;
            self.swapped = Some((conversation, seq));
            return Ok(());
        }
        self.sights[sight].see(conversation, seq)?;
        match self.swapped.take_if(|(of, before)| *of == conversation && *before < seq) {
            Some((_, before)) => self.sights[sight].see(conversation, before),
            None => Ok(()),
        }
    }
}

/// It is stored by now, and exactly as it is delivered.
fn check_event(
    scene: &Scene<'_>,
    conversation: ConversationId,
    seq: u64,
    id: &str,
    payload: &[u8],
) -> Result<(), String> {
    let Some(event) = observer::event(scene.store, conversation, seq) else {
        return Err(format!("INV-3: {conversation} {seq} was delivered and is not stored"));
    };
    if event.id.to_string() != id {
        return Err(format!("INV-3: {conversation} {seq} was delivered as {id} and is stored as {}", event.id));
    }
    if *payload != *event.envelope() && *payload != *event.stub() {
        return Err(format!("{conversation} {seq} was not delivered as it is stored"));
    }
    Ok(())
}

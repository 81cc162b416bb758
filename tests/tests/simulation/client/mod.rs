//! A client: real MQTT bytes over a wire that is cut anywhere. It connects, publishes, resends, receives and acknowledges in its own
//! manner, and holds every answer and delivery against what was promised.
//!
//! What it does by itself is here; `answers` takes the server's packets, `publishing` what it has in flight, `link` one connection,
//! `sight` what its sessions saw.

pub(crate) mod answers;
pub(crate) mod link;
pub(crate) mod manner;
pub(crate) mod publishing;
pub(crate) mod sight;

use std::collections::VecDeque;
use std::num::{NonZeroU16, NonZeroU32};

use talaria_broker::simulation::Wire;
use talaria_codec::{
    Ack, Connect, Packet, QoS, Subscribe, SubscribeFilter, SubscribeOptions, Unsubscribe, Version, Will,
};
use talaria_core::{ConversationId, Handle, UserId};
use talaria_storage_memory::MemoryStore;

use crate::dice::Dice;
use crate::ledger::{self, Ledger, Said};
use crate::observer;
use crate::sabotage::Sabotage;
use link::{Link, Place};
use manner::{Acking, Manner};
use publishing::Flight;
use sight::{Heads, Sight};

/// Packet ids of SUBSCRIBE and UNSUBSCRIBE; publishes stay below.
const ASKING_ID: NonZeroU16 = NonZeroU16::new(60_000).unwrap();

/// What a client is lent for what it does.
pub(crate) struct Scene<'a> {
    pub(crate) dice: &'a mut Dice,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) store: &'a MemoryStore,
    pub(crate) conversations: &'a [ConversationId],
    pub(crate) sabotage: &'a mut Option<Sabotage>,
    pub(crate) is_traced: bool,
}

impl Scene<'_> {
    fn heads(&self) -> Heads {
        self.conversations
            .iter()
            .map(|conversation| (*conversation, observer::head(self.store, *conversation)))
            .collect()
    }
}

/// How the session's subscription stands, as far as the client knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subscription {
    No,
    /// SUBACK has not come.
    Asked,
    Confirmed,
    /// UNSUBACK has not come.
    Ending,
}

pub(crate) struct Client {
    pub(crate) index: usize,
    pub(crate) user: UserId,
    pub(crate) client_id: String,
    pub(crate) manner: Manner,
    /// The connection that counts.
    pub(crate) link: Option<Link>,
    /// Earlier ones that the server may still hold.
    pub(crate) old: Vec<Link>,
    pub(crate) flights: VecDeque<Flight>,
    pub(crate) sights: Vec<Sight>,
    pub(crate) subscription: Subscription,
    /// The server has confirmed that it keeps the session.
    has_session: bool,
    next_packet_id: u16,
    /// Deliveries of earlier connections whose acknowledgement is still to be sent.
    late_acks: Vec<u16>,
    /// A delivery that is held back to come in the wrong order.
    swapped: Option<(ConversationId, u64)>,
}

impl Client {
    pub(crate) fn new(index: usize, user: UserId, handle: &Handle, dice: &mut Dice) -> Self {
        Self {
            index,
            user,
            client_id: format!("client-{index}"),
            manner: Manner::draw(dice, &user.to_string(), &format!("{handle}")),
            link: None,
            old: Vec::new(),
            flights: VecDeque::new(),
            sights: Vec::new(),
            subscription: Subscription::No,
            has_session: false,
            next_packet_id: 0,
            late_acks: Vec::new(),
            swapped: None,
        }
    }

    /// Connects over that wire. A connection that it has goes on beside it until the server ends it.
    pub(crate) fn connect(&mut self, wire: Wire, place: Place, resets: bool, scene: &mut Scene<'_>) {
        if let Some(mut link) = self.link.take() {
            link.is_zombie = self.manner.inbox_qos == QoS::AtLeastOnce && scene.dice.one_in(2);
            self.retire(link);
        }
        self.old.iter_mut().for_each(Link::doubt);
        let manner = &self.manner;
        let mut link = Link::new(wire, place, manner.version, manner.room_bytes);
        link.is_traced = scene.is_traced;
        link.is_clean_start = !manner.is_persistent || resets && manner.version == Version::V5;
        if link.is_clean_start {
            // Whether the old session is there in the end is known with CONNACK only.
            self.has_session = false;
            self.subscription = Subscription::Ending;
            self.flights.iter_mut().for_each(|flight| flight.is_forgotten = true);
            if let Some(sight) = self.sights.last_mut() {
                sight.close();
            }
        }
        self.link = Some(link);
        self.write_connect(scene);
    }

    fn write_connect(&mut self, scene: &mut Scene<'_>) {
        let Some(mut link) = self.link.take() else { return };
        let manner = &self.manner;
        let will_text = manner.has_will.then(|| scene.ledger.fresh_text(0));
        let user = self.user.to_string();
        let will_topic = "user/me/message";
        if let Some(text) = &will_text {
            scene.ledger.enter(Said {
                client: self.index,
                user: self.user,
                conversation: ConversationId::dm(self.user, self.user),
                text: text.clone(),
                key: None,
                manner: ledger::Manner::Loose,
                may_repeat: false,
                answer: None,
                head: 0,
            });
        }
        let mut packet = Connect::new(manner.version, &self.client_id);
        packet.clean_start = link.is_clean_start;
        packet.keep_alive = manner.keep_alive_s;
        (packet.username, packet.password) = (Some(&*user), Some(user.as_bytes()));
        packet.will = will_text.as_ref().map(|text| Will {
            topic: will_topic,
            payload: text.as_bytes(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Default::default(),
        });
        if manner.version == Version::V5 {
            packet.properties.session_expiry_interval = manner.is_persistent.then_some(u32::MAX);
            packet.properties.receive_maximum = manner.receive_max.and_then(NonZeroU16::new);
            packet.properties.maximum_packet_size = manner.packet_bytes_max.and_then(NonZeroU32::new);
        }
        link.write(&Packet::Connect(packet));
        self.link = Some(link);
    }

    /// Puts a connection away that does not count any more.
    fn retire(&mut self, link: Link) {
        if self.manner.acks_late_events && !link.is_zombie {
            self.late_acks.extend(link.outstanding.iter());
        }
        if self.manner.says_the_same {
            self.flights.clear();
        }
        self.old.push(link);
    }

    /// The network is cut.
    pub(crate) fn cut(&mut self) {
        if let Some(mut link) = self.link.take() {
            link.cut();
            self.retire(link);
        }
    }

    /// All of its connections are cut, those too that do not count any more.
    pub(crate) fn cut_all(&mut self) {
        self.cut();
        self.old.iter_mut().for_each(Link::cut);
    }

    /// DISCONNECT, whatever is in flight.
    pub(crate) fn disconnect(&mut self) {
        if let Some(mut link) = self.link.take() {
            if link.is_live {
                link.disconnect();
            } else {
                link.cut();
            }
            self.retire(link);
        }
    }

    /// Whether it may publish and subscribe.
    pub(crate) fn is_live(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_live)
    }

    /// Nothing is under way that it waits for.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.flights.is_empty()
            && (self.manner.says_the_same || self.is_live() && self.subscription == Subscription::Confirmed)
    }

    /// Subscribes to all its filters.
    pub(crate) fn subscribe(&mut self, link: &mut Link) {
        let options = SubscribeOptions { qos: self.manner.inbox_qos, ..SubscribeOptions::default() };
        let filters: Vec<_> = self.manner.filters.iter().map(|filter| SubscribeFilter { filter, options }).collect();
        link.write(&Packet::Subscribe(Subscribe {
            packet_id: ASKING_ID,
            properties: Default::default(),
            filters: filters.as_slice().into(),
        }));
        if matches!(self.subscription, Subscription::No | Subscription::Ending) {
            // What still came while the last one ended counts by itself.
            self.close_epoch();
        }
        if self.subscription != Subscription::Confirmed {
            self.subscription = Subscription::Asked;
        }
    }

    /// Subscribes where it is not subscribed, and the other way round.
    pub(crate) fn turn_subscription(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        match self.subscription {
            Subscription::No => self.subscribe(&mut link),
            Subscription::Confirmed => {
                let filters: Vec<_> = self.manner.filters.iter().map(String::as_str).collect();
                link.write(&Packet::Unsubscribe(Unsubscribe {
                    packet_id: ASKING_ID,
                    properties: Default::default(),
                    filters: filters.as_slice().into(),
                }));
                self.subscription = Subscription::Ending;
                self.close_epoch();
            }
            Subscription::Asked | Subscription::Ending => {}
        }
        self.link = Some(link);
    }

    fn close_epoch(&mut self) {
        if let Some(sight) = self.sights.last_mut() {
            sight.close();
        }
    }

    /// Sends, receives and acknowledges a little. Whether anything moved.
    pub(crate) fn act(&mut self, scene: &mut Scene<'_>) -> Result<bool, String> {
        let mut has_moved = false;
        if let Some(mut link) = self.link.take() {
            let outcome = self.act_on(&mut link, scene);
            let is_done = link.is_done;
            if link.is_over() {
                link.learn_fate();
                self.retire(link);
            } else {
                self.link = Some(link);
            }
            if is_done {
                self.disconnect();
            }
            has_moved |= outcome?;
        }
        for mut link in std::mem::take(&mut self.old) {
            if link.is_zombie {
                has_moved |= self.act_on(&mut link, scene)?;
            } else if link.is_accounted_for {
                link.pull(usize::MAX);
            }
            if !link.wire.is_let_go() || !link.is_over() || !link.is_accounted_for {
                self.old.push(link);
            }
        }
        Ok(has_moved)
    }

    fn act_on(&mut self, link: &mut Link, scene: &mut Scene<'_>) -> Result<bool, String> {
        let bytes = if self.manner.read_bytes < 100 { 1 + scene.dice.below(60) } else { usize::MAX };
        let mut has_moved = link.push(bytes) > 0;
        has_moved |= link.pull(self.manner.read_bytes) > 0;
        while let Some((place, packet)) = link.next_packet() {
            self.on_packet(link, place, &packet, scene)?;
            has_moved = true;
        }
        self.acknowledge(link, scene.dice);
        Ok(has_moved)
    }

    fn acknowledge(&mut self, link: &mut Link, dice: &mut Dice) {
        while !link.acks.is_empty() {
            let at = match self.manner.acking {
                Acking::AtOnce => 0,
                Acking::Late if dice.one_in(4) => dice.below(link.acks.len()),
                Acking::Late | Acking::Never => return,
            };
            if let Some(packet_id) = link.acks.remove(at).and_then(NonZeroU16::new) {
                link.outstanding.retain(|outstanding| *outstanding != packet_id.get());
                link.write(&Packet::PubAck(Ack::success(packet_id)));
            }
        }
    }
}

//! rumqttc, in a thread of this process. Its two protocol versions have two modules, which are the same but for the names of types.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::Value;

use super::Login;
use crate::PATIENCE;

/// Requests that wait to be sent.
const REQUESTS: usize = 16;
/// Above what any test sends.
const PACKET_BYTES: u32 = 4 * 1024 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// What came, in its order.
enum Came {
    Connected,
    Subscribed,
    Acknowledged,
    Delivered(Vec<u8>),
    Ended,
}

fn next(came: &Receiver<Came>) -> Came {
    came.recv_timeout(PATIENCE).expect("nothing came")
}

macro_rules! client {
    ($set:expr) => {
        /// The client; its connection comes back by itself when it is cut off.
        pub struct Rumqttc {
            client: Requests,
            came: Receiver<Came>,
            events: std::collections::VecDeque<Vec<u8>>,
        }

        impl Rumqttc {
            /// A kept session that has subscribed.
            pub fn come(login: &Login<'_>) -> Self {
                let mut rumqttc = Self::connect(login);
                rumqttc.client.subscribe("user/me/inbox", QoS::AtLeastOnce).unwrap();
                rumqttc.wait_for(|came| matches!(came, Came::Subscribed));
                rumqttc
            }

            /// A kept session.
            pub fn connect(login: &Login<'_>) -> Self {
                let mut options = MqttOptions::new(login.client_id, login.server.ip().to_string(), login.server.port());
                options.set_credentials(&login.person.handle, &login.person.token).set_keep_alive(KEEP_ALIVE);
                $set(&mut options);
                let (client, connection) = Requests::new(options, REQUESTS);
                let (tell, came) = std::sync::mpsc::channel();
                std::thread::spawn(move || run(connection, &tell));
                let mut rumqttc = Self { client, came, events: Default::default() };
                rumqttc.wait_for(|came| matches!(came, Came::Connected));
                rumqttc
            }

            /// Publishes at QoS 1 and waits for nothing.
            pub fn start_publish(&mut self, topic: &str, payload: &str) {
                self.client.publish(topic, QoS::AtLeastOnce, false, payload.as_bytes().to_vec()).unwrap();
            }

            /// Waits for the PUBACK.
            pub fn wait_for_acknowledged(&mut self) {
                self.wait_for(|came| matches!(came, Came::Acknowledged));
            }

            fn wait_for(&mut self, is_wanted: impl Fn(&Came) -> bool) {
                loop {
                    match next(&self.came) {
                        came if is_wanted(&came) => return,
                        Came::Delivered(payload) => self.events.push_back(payload),
                        _ => {}
                    }
                }
            }
        }

        impl crate::stock::Client for Rumqttc {
            fn publish(&mut self, topic: &str, payload: &str) {
                self.start_publish(topic, payload);
                self.wait_for_acknowledged();
            }

            fn event(&mut self) -> Value {
                let payload = loop {
                    if let Some(payload) = self.events.pop_front() {
                        break payload;
                    }
                    if let Came::Delivered(payload) = next(&self.came) {
                        break payload;
                    }
                };
                serde_json::from_slice(&payload).unwrap()
            }

            fn leave(mut self: Box<Self>) {
                self.client.disconnect().unwrap();
                self.wait_for(|came| matches!(came, Came::Ended));
            }
        }

        /// Until it has disconnected by itself, or nobody listens.
        fn run(mut connection: Connection, tell: &std::sync::mpsc::Sender<Came>) {
            let mut is_leaving = false;
            for event in connection.iter() {
                let came = match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => Came::Connected,
                    Ok(Event::Incoming(Packet::SubAck(_))) => Came::Subscribed,
                    Ok(Event::Incoming(Packet::PubAck(_))) => Came::Acknowledged,
                    Ok(Event::Incoming(Packet::Publish(publish))) => Came::Delivered(publish.payload.to_vec()),
                    Ok(Event::Outgoing(::rumqttc::Outgoing::Disconnect)) => {
                        is_leaving = true;
                        continue;
                    }
                    Err(_) if is_leaving => Came::Ended,
                    // It connects again.
                    _ => continue,
                };
                let is_end = matches!(came, Came::Ended);
                if tell.send(came).is_err() || is_end {
                    return;
                }
            }
        }
    };
}

/// 3.1.1.
pub mod v4 {
    use ::rumqttc::{Client as Requests, Connection, Event, MqttOptions, Packet, QoS};

    use super::*;

    client!(|options: &mut MqttOptions| {
        options.set_clean_session(false).set_max_packet_size(PACKET_BYTES as usize, PACKET_BYTES as usize);
    });
}

/// 5.0.
pub mod v5 {
    use ::rumqttc::v5::mqttbytes::QoS;
    use ::rumqttc::v5::mqttbytes::v5::Packet;
    use ::rumqttc::v5::{Client as Requests, Connection, Event, MqttOptions};

    use super::*;

    client!(|options: &mut MqttOptions| {
        options.set_clean_start(false).set_session_expiry_interval(Some(3600)).set_max_packet_size(Some(PACKET_BYTES));
    });
}

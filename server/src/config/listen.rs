//! Addresses to listen on.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Deserializer, de};

/// An address, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl Listen {
    /// That port on every address of the machine.
    pub const fn port(port: u16) -> Self {
        Self(Some(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Port(u16),
    Text(String),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wants = || de::Error::custom("a listener is a port, an address with a port, or \"off\"");
        match Form::deserialize(deserializer).map_err(|_| wants())? {
            Form::Port(port) => Ok(Self::port(port)),
            Form::Text(text) if text == "off" => Ok(Self(None)),
            Form::Text(text) => match text.parse::<u16>() {
                Ok(port) => Ok(Self::port(port)),
                Err(_) => text.parse().map(|address| Self(Some(address))).map_err(|_| wants()),
            },
        }
    }
}

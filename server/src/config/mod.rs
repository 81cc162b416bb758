//! Configuration: one TOML file, every key also an environment variable. The structs here are the only description; the
//! example and `docs/config.md` are written from them.

mod document;
mod listen;

use std::path::{Path, PathBuf};

use ::config::{Config as Sources, Environment, File, FileFormat, Map};
use serde::Deserialize;

pub use document::{example, markdown};
pub use listen::Listen;

/// Before the name of a key in the environment: `TALARIA_LISTEN__MQTT` is `listen.mqtt`.
const PREFIX: &str = "TALARIA";
/// The variable that names the file; no key.
pub const FILE_VARIABLE: &str = "TALARIA_CONFIG";

/// A key as it is documented.
#[derive(Debug, Clone)]
pub struct Key {
    /// With its sections: `listen.mqtt`.
    pub name: String,
    /// Meaning and unit.
    pub says: String,
    /// In TOML.
    pub default: String,
}

/// Declares a section: a struct, its defaults, and its keys for documents.
macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident in $prefix:literal {
        $($(#[doc = $says:literal])+ $field:ident: $type:ty = $default:expr, $shown:expr;)*
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $says])+ pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            fn keys(into: &mut Vec<Key>) {
                $(into.push(Key {
                    name: concat!($prefix, stringify!($field)).to_owned(),
                    says: concat!($($says,)+).trim().to_owned(),
                    default: ($shown).to_string(),
                });)*
            }
        }
    };
}

section! {
    /// Where to listen.
    ListenSettings in "listen." {
        /// MQTT 3.1.1 and 5.0 over TCP: a port, an address with a port, or "off".
        mqtt: Listen = Listen::port(1883), 1883;
        /// MQTT over WebSocket, at the path /mqtt.
        ws: Listen = Listen::port(8083), 8083;
        /// HTTP: the API under /v1, /openapi.json, /healthz and /readyz.
        http: Listen = Listen::port(8080), 8080;
    }
}

section! {
    /// Bounds that an operator may change.
    Limits in "limits." {
        /// Members of a channel, its owner included; 2 to 500.
        channel_members: usize = talaria_core::limits::CHANNEL_MEMBERS_MAX, talaria_core::limits::CHANNEL_MEMBERS_MAX;
        /// Bytes of an MQTT packet after login; 65,536 to 268,435,455.
        packet_bytes: usize = talaria_core::limits::PACKET_BYTES_MAX, talaria_core::limits::PACKET_BYTES_MAX;
        /// Connections of this node; beyond, new ones are closed at once.
        connections: usize = 1_000_000, 1_000_000;
        /// Entries of each cache of the accounts: tokens, devices, handles. What is not there is read from the database.
        cached_accounts: usize = 100_000, 100_000;
        /// Bytes of the disk that stay free: publishes are not acknowledged while less is left.
        disk_reserve_bytes: u64 = 64 * 1024 * 1024, 64 * 1024 * 1024;
    }
}

/// All of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder with everything that is kept; made where it is missing.
    pub data_dir: PathBuf,
    /// Threads that serve connections; 0 is one a core.
    pub loops: u16,
    /// Which log lines are written, as in "info,talaria_bridge=debug".
    pub log: String,
    /// Origins that browsers may connect from over WebSocket, as in ["https://chat.example"]; empty is any. In the environment with
    /// commas between them.
    pub websocket_origins: Vec<String>,
    /// Where to listen.
    pub listen: ListenSettings,
    /// Bounds.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("talaria-data"),
            loops: 0,
            log: "info".to_owned(),
            websocket_origins: Vec::new(),
            listen: ListenSettings::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads the file, where one is given, then the environment.
    ///
    /// # Errors
    /// The file cannot be read, a key is unknown, or a value is out of its bounds; the text names the key.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        Self::from_sources(file, std::env::vars().filter(|(name, _)| name != FILE_VARIABLE).collect())
    }

    fn from_sources(file: Option<&Path>, variables: Map<String, String>) -> anyhow::Result<Self> {
        let mut sources = Sources::builder();
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment = Environment::with_prefix(PREFIX)
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("websocket_origins");
        let config: Self = sources.add_source(environment.source(Some(variables))).build()?.try_deserialize()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let limits = &self.limits;
        anyhow::ensure!((2..=500).contains(&limits.channel_members), "limits.channel_members must be 2 to 500");
        anyhow::ensure!(
            (65_536..=268_435_455).contains(&limits.packet_bytes),
            "limits.packet_bytes must be 65536 to 268435455"
        );
        anyhow::ensure!(limits.connections > 0, "limits.connections must be at least 1");
        anyhow::ensure!(limits.cached_accounts > 0, "limits.cached_accounts must be at least 1");
        anyhow::ensure!(self.loops <= 1024, "loops must be at most 1024");
        Ok(())
    }

    /// Every key.
    pub fn keys() -> Vec<Key> {
        let key = |name: &str, says: &str, default: &str| Key {
            name: name.to_owned(),
            says: says.to_owned(),
            default: default.to_owned(),
        };
        let mut keys = vec![
            key("data_dir", "The folder with everything that is kept; made where it is missing.", "\"talaria-data\""),
            key("loops", "Threads that serve connections; 0 is one a core.", "0"),
            key("log", "Which log lines are written, as in \"info,talaria_bridge=debug\".", "\"info\""),
            key(
                "websocket_origins",
                "Origins that browsers may connect from over WebSocket, as in [\"https://chat.example\"]; empty is any. In the environment \
                 with commas between them.",
                "[]",
            ),
        ];
        ListenSettings::keys(&mut keys);
        Limits::keys(&mut keys);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default_and_has_every_key() {
        let text = example();
        let live: String = text.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        let config: Config = Sources::builder()
            .add_source(File::from_str(&live, FileFormat::Toml))
            .build()
            .unwrap()
            .try_deserialize()
            .unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
        for key in Config::keys() {
            let last = key.name.rsplit('.').next().unwrap_or_default();
            assert!(live.contains(&format!("{last} = {}", key.default)), "{}", key.name);
        }
    }

    #[test]
    fn the_document_in_the_repository_is_the_one_written_from_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/config.md");
        let stored = std::fs::read_to_string(path).unwrap();
        assert_eq!(stored, markdown(), "write it anew with `talaria config markdown > docs/config.md`");
    }

    #[test]
    fn an_unknown_key_and_a_value_out_of_bounds_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talaria.toml");
        for (text, named) in [("colour = 1", "colour"), ("[limits]\nchannel_members = 1", "channel_members")] {
            std::fs::write(&file, text).unwrap();
            let error = format!("{:#}", Config::from_sources(Some(&file), Map::new()).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}

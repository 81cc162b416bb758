//! A packet as text, in which the two codecs are compared.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};

use talaria_codec::QoS;

use crate::wire::to_hex;

/// A packet's values by name. Properties are in lists by identifier: the order of those of one identifier counts.
#[derive(PartialEq, Debug, Default)]
pub(super) struct Plain {
    fields: Vec<(&'static str, String)>,
    properties: BTreeMap<(&'static str, u8), Vec<String>>,
}

impl Plain {
    pub(super) fn new(packet: &'static str) -> Self {
        Self { fields: vec![("packet", packet.to_owned())], ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Shown) -> Self {
        self.fields.push((name, value.shown()));
        self
    }

    pub(super) fn property(mut self, of: &'static str, identifier: u8, value: Option<impl Shown>) -> Self {
        if let Some(value) = value {
            self.properties.entry((of, identifier)).or_default().push(value.shown());
        }
        self
    }
}

/// What has a text: the same one from both codecs.
pub(super) trait Shown {
    fn shown(self) -> String;
}

macro_rules! shown_as_numbers {
    ($($type:ty: |$value:ident| $number:expr;)*) => {
        $(impl Shown for $type {
            fn shown(self) -> String {
                let $value = self;
                u64::from($number).to_string()
            }
        })*
    };
}

shown_as_numbers! {
    bool: |value| value;
    u8: |value| value;
    u16: |value| value;
    u32: |value| value;
    NonZeroU16: |value| value.get();
    NonZeroU32: |value| value.get();
    QoS: |value| value.number();
}

impl Shown for &str {
    fn shown(self) -> String {
        format!("{self:?}")
    }
}

impl Shown for &[u8] {
    fn shown(self) -> String {
        to_hex(self)
    }
}

impl Shown for (&str, &str) {
    fn shown(self) -> String {
        format!("{self:?}")
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(self) -> String {
        self.map_or_else(|| "-".to_owned(), Shown::shown)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(self) -> String {
        self.into_iter().map(Shown::shown).collect::<Vec<_>>().join(", ")
    }
}

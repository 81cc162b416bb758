//! What a client sends as a message: JSON by the contract, or plain text (PROTOCOL "Payloads").
//!
//! Read once, checked, and written anew as the fields of the delivered envelope, so that nothing unknown gets through
//! and nothing is parsed twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::code::Code;
use crate::conversation::Seq;
use crate::id::{EventId, UserId};
use crate::limits::{KEY_BYTES_MAX, TEXT_CHARS_MAX};

/// Mentions and media of one message. Beyond: refused, naming the field.
const LIST_MAX: usize = 500;

/// A payload that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PayloadError {
    /// What kind of refusal.
    pub code: Code,
    /// For people; names the field, never anything internal.
    pub reason: Cow<'static, str>,
}

impl PayloadError {
    fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// A checked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's idempotency key, 1 to 64 bytes.
    pub key: Option<Box<str>>,
    /// The fields of the envelope that the client wrote, as JSON without the braces: `"text":"…",…`.
    pub body: Vec<u8>,
}

/// Reads a payload. One that is not a JSON object is taken as text.
pub fn parse(payload: &[u8]) -> Result<Message, PayloadError> {
    let text = std::str::from_utf8(payload)
        .map_err(|_| PayloadError::new(Code::PayloadInvalid, "the payload is not valid UTF-8"))?;
    if !text.trim_ascii_start().starts_with('{') {
        return plain(text);
    }
    let mut field = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = SentSeed { field: &mut field }.deserialize(&mut json).and_then(|sent| json.end().map(|()| sent));
    match read {
        Ok(sent) => sent.check(),
        Err(error) if error.is_data() => {
            let (name, wants) = field.unwrap_or(("payload", "valid"));
            Err(PayloadError::new(Code::PayloadInvalid, format!("field `{name}` must be {wants}")))
        }
        Err(_) => plain(text),
    }
}

fn plain(text: &str) -> Result<Message, PayloadError> {
    if text.is_empty() {
        return Err(PayloadError::new(Code::PayloadInvalid, "the payload is empty"));
    }
    check_text(text)?;
    let mut body = Vec::with_capacity(text.len() + 16);
    put(&mut body, "text", text);
    Ok(Message { key: None, body })
}

fn check_text(text: &str) -> Result<(), PayloadError> {
    // Every character takes at least a byte, so that short texts need no count.
    if text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX {
        return Err(PayloadError::new(Code::TextTooLong, Code::TextTooLong.says()));
    }
    Ok(())
}

fn put(body: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    if !body.is_empty() {
        body.push(b',');
    }
    body.push(b'"');
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(b"\":");
    // Writing strings and numbers to memory cannot fail.
    let _ = serde_json::to_writer(body, value);
}

#[derive(Deserialize, Serialize)]
struct ReplyTo {
    id: EventId,
    seq: Seq,
}

#[derive(Default)]
struct Sent<'a> {
    key: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    reply_to: Option<ReplyTo>,
    mentions: Option<Vec<UserId>>,
    media: Option<Vec<EventId>>,
    data: Option<&'a RawValue>,
}

impl Sent<'_> {
    fn check(self) -> Result<Message, PayloadError> {
        if let Some(key) = &self.key
            && !(1..=KEY_BYTES_MAX).contains(&key.len())
        {
            return Err(PayloadError::new(Code::KeyInvalid, "field `key` must be 1 to 64 bytes"));
        }
        let long = self.mentions.as_ref().map_or(0, Vec::len).max(self.media.as_ref().map_or(0, Vec::len));
        if long > LIST_MAX {
            return Err(PayloadError::new(Code::PayloadInvalid, "fields `mentions` and `media` hold at most 500 ids"));
        }
        if self.data.is_some_and(|data| !data.get().starts_with('{')) {
            return Err(PayloadError::new(Code::PayloadInvalid, "field `data` must be an object"));
        }
        let mut body = Vec::with_capacity(self.text.as_ref().map_or(0, |text| text.len()) + 64);
        if let Some(text) = &self.text {
            check_text(text)?;
            put(&mut body, "text", text.as_ref());
        }
        if let Some(media) = &self.media {
            put(&mut body, "media", media);
        }
        if let Some(data) = &self.data {
            put(&mut body, "data", data);
        }
        if body.is_empty() {
            return Err(PayloadError::new(Code::PayloadInvalid, "a message needs one of `text`, `media`, `data`"));
        }
        if let Some(reply_to) = &self.reply_to {
            put(&mut body, "reply_to", reply_to);
        }
        if let Some(mentions) = &self.mentions {
            put(&mut body, "mentions", mentions);
        }
        Ok(Message { key: self.key.map(|key| key.as_ref().into()), body })
    }
}

/// Remembers which field was being read, so that a wrong type can be told by name.
struct SentSeed<'s> {
    field: &'s mut Option<(&'static str, &'static str)>,
}

impl<'de> DeserializeSeed<'de> for SentSeed<'_> {
    type Value = Sent<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sent<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A string that borrows where it can; serde's own `Cow` never does.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for SentSeed<'_> {
    type Value = Sent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sent<'de>, A::Error> {
        let mut sent = Sent::default();
        while let Some(Text(name)) = map.next_key()? {
            match name.as_ref() {
                "key" => {
                    *self.field = Some(("key", "a string"));
                    sent.key = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0);
                }
                "text" => {
                    *self.field = Some(("text", "a string"));
                    sent.text = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0);
                }
                "reply_to" => {
                    *self.field = Some(("reply_to", "an object with `id` and `seq`"));
                    sent.reply_to = map.next_value()?;
                }
                "mentions" => {
                    *self.field = Some(("mentions", "a list of ids"));
                    sent.mentions = map.next_value()?;
                }
                "media" => {
                    *self.field = Some(("media", "a list of ids"));
                    sent.media = map.next_value()?;
                }
                "data" => {
                    *self.field = Some(("data", "an object"));
                    sent.data = map.next_value::<Option<&'de RawValue>>()?.filter(|data| data.get() != "null");
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if sent.text.is_none() && sent.media.is_none() && sent.data.is_none() {
            *self.field = Some(("text", "there, unless `media` or `data` is"));
            return Err(A::Error::custom("empty"));
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(payload: &str) -> String {
        String::from_utf8(parse(payload.as_bytes()).unwrap().body).unwrap()
    }

    fn refused(payload: &str) -> (Code, String) {
        let error = parse(payload.as_bytes()).unwrap_err();
        (error.code, error.reason.into_owned())
    }

    #[test]
    fn what_is_not_an_object_is_text() {
        assert_eq!(body("hello"), r#""text":"hello""#);
        assert_eq!(body("안녕 🎉 \"x\""), r#""text":"안녕 🎉 \"x\"""#);
        for other in ["[1]", "42", "{", r#"{"text":"x"} trailing"#, "null"] {
            assert_eq!(body(other), format!("\"text\":{}", serde_json::to_string(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn known_fields_pass_and_unknown_ones_do_not() {
        let message = parse(br#"{"key":"k1","text":"a\u0062","id":"9","from":"x","data":{"a":[1]},"mentions":["5"],"reply_to":{"id":"3","seq":2}}"#).unwrap();
        assert_eq!(message.key.as_deref(), Some("k1"));
        assert_eq!(
            String::from_utf8(message.body).unwrap(),
            r#""text":"ab","data":{"a":[1]},"reply_to":{"id":"3","seq":2},"mentions":["5"]"#
        );
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        for (payload, field) in [
            (r#"{"text":5}"#, "text"),
            (r#"{"text":"x","key":[]}"#, "key"),
            (r#"{"text":"x","mentions":"5"}"#, "mentions"),
            (r#"{"text":"x","mentions":[5]}"#, "mentions"),
            (r#"{"text":"x","reply_to":{"id":"3"}}"#, "reply_to"),
            (r#"{"data":5}"#, "data"),
            (r#"{"other":5}"#, "text"),
            (r#"{}"#, "text"),
        ] {
            let (code, reason) = refused(payload);
            assert_eq!(code, Code::PayloadInvalid);
            assert!(reason.contains(&format!("`{field}`")), "{payload}: {reason}");
        }
    }

    #[test]
    fn a_text_holds_100_000_characters_however_it_is_written() {
        let most = "🎉".repeat(100_000);
        assert!(parse(most.as_bytes()).is_ok());
        let escaped = format!("{{\"text\":\"{}\"}}", "\\ud83c\\udf89".repeat(100_000));
        assert_eq!(parse(escaped.as_bytes()).unwrap().body, parse(most.as_bytes()).unwrap().body);
        assert_eq!(refused(&format!("{most}x")).0, Code::TextTooLong);
        let escaped = format!("{{\"text\":\"{}\"}}", "\\ud83c\\udf89".repeat(100_001));
        assert_eq!(refused(&escaped).0, Code::TextTooLong);
    }

    #[test]
    fn keys_have_1_to_64_bytes() {
        assert_eq!(refused(r#"{"text":"x","key":""}"#).0, Code::KeyInvalid);
        assert_eq!(refused(&format!(r#"{{"text":"x","key":"{}"}}"#, "k".repeat(65))).0, Code::KeyInvalid);
        assert!(parse(format!(r#"{{"text":"x","key":"{}"}}"#, "k".repeat(64)).as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(parse(b"\xff\xfe").unwrap_err().code, Code::PayloadInvalid);
        assert_eq!(parse(b"").unwrap_err().code, Code::PayloadInvalid);
    }
}

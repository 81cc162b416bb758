//! What clients are told when something is refused: one numbered table for MQTT, HTTP and rejections.
//!
//! MQTT reasons are of those that PUBACK and PUBREC may carry (§3.4.2.1); a client may end its connection at any other, and some do.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($name:ident = $text:literal, $mqtt:literal, $http:literal, $says:literal;)*) => {
        /// A refusal. Its text form is part of the contract with clients and never changes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $says] #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, for documents and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name, as in problem details and rejections.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The MQTT 5.0 reason code (§2.4).
            pub const fn mqtt(self) -> u8 {
                match self { $(Self::$name => $mqtt,)* }
            }

            /// The HTTP status.
            pub const fn http(self) -> u16 {
                match self { $(Self::$name => $http,)* }
            }

            /// A sentence for people.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)* }
            }
        }
    };
}

codes! {
    NotAuthenticated = "not_authenticated", 0x87, 401, "the credentials are missing or wrong";
    NotAllowed = "not_allowed", 0x87, 403, "you have no right to do this";
    NotAMember = "not_a_member", 0x87, 403, "you are not a member of this conversation";
    UnknownUser = "unknown_user", 0x87, 404, "there is no such user";
    UnknownChannel = "unknown_channel", 0x87, 404, "there is no such channel";
    NotFound = "not_found", 0x87, 404, "there is no such thing";
    TopicInvalid = "topic_invalid", 0x90, 400, "nothing can be published to this topic";
    PayloadInvalid = "payload_invalid", 0x99, 400, "the payload is not valid";
    TextTooLong = "text_too_long", 0x97, 413, "a text holds at most 100,000 characters";
    TooLarge = "too_large", 0x97, 413, "the request is too large";
    KeyInvalid = "key_invalid", 0x99, 400, "a key is 1 to 64 bytes";
    HandleTaken = "handle_taken", 0x83, 409, "this handle is taken";
    HandleInvalid = "handle_invalid", 0x99, 400, "a handle is `@` and 3 to 32 of a-z 0-9 . _ -";
    PasswordInvalid = "password_invalid", 0x99, 400, "a password is 8 to 256 characters";
    TooManyDevices = "too_many_devices", 0x97, 409, "the account holds as many devices as it may";
    ChannelFull = "channel_full", 0x97, 409, "the channel has as many members as it may";
    RateLimited = "rate_limited", 0x97, 429, "too much at once, try again later";
    Unavailable = "unavailable", 0x83, 503, "the service cannot do this now, try again";
    MethodNotAllowed = "method_not_allowed", 0x83, 405, "this resource does not know this method";
    RequestInvalid = "request_invalid", 0x83, 400, "the request is not valid";
    Internal = "internal", 0x80, 500, "something went wrong here";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_share_a_name() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}

//! Random properties of each packet.

use std::num::{NonZeroU16, NonZeroU32};

use proptest::option::of;
use proptest::prelude::*;
use talaria_codec::{
    AckProperties, AuthProperties, ConnAckProperties, ConnectProperties, Direction, DisconnectProperties,
    PublishProperties, QoS, REMAINING_LENGTH_MAX, SubAckProperties, SubscribeProperties, SubscriptionIds,
    UnsubAckProperties, UnsubscribeProperties, UserProperties, WillProperties,
};

use super::text::{binary, leaked, text, topic};

fn user() -> impl Strategy<Value = UserProperties<'static>> + Clone {
    prop_oneof![
        2 => Just(UserProperties::EMPTY),
        2 => prop::collection::vec((text(), text()), 0..4).prop_map(|pairs| leaked(pairs).into()),
    ]
}

fn subscription_id() -> impl Strategy<Value = NonZeroU32> + Clone {
    let max = REMAINING_LENGTH_MAX as u32;
    prop_oneof![1..=max, 1..=300_u32, Just(max)].prop_map(|id| NonZeroU32::new(id).unwrap())
}

/// Authentication data needs a method (section 3.1.2.11.10).
fn authentication() -> impl Strategy<Value = (Option<&'static str>, Option<&'static [u8]>)> + Clone {
    of((text(), of(binary()))).prop_map(|both| both.map_or((None, None), |(method, data)| (Some(method), data)))
}

pub(super) fn connect() -> impl Strategy<Value = ConnectProperties<'static>> {
    let numbers = (of(any::<u32>()), of(any::<NonZeroU16>()), of(any::<NonZeroU32>()), of(any::<u16>()));
    let flags = (of(any::<bool>()), of(any::<bool>()));
    (numbers, flags, authentication(), user()).prop_map(|(numbers, flags, authentication, user_properties)| {
        ConnectProperties {
            session_expiry_interval: numbers.0,
            receive_maximum: numbers.1,
            maximum_packet_size: numbers.2,
            topic_alias_maximum: numbers.3,
            request_response_information: flags.0,
            request_problem_information: flags.1,
            authentication_method: authentication.0,
            authentication_data: authentication.1,
            user_properties,
        }
    })
}

pub(super) fn will() -> impl Strategy<Value = WillProperties<'static>> {
    let numbers = (of(any::<u32>()), of(any::<bool>()), of(any::<u32>()));
    let texts = (of(text()), of(topic()), of(binary()));
    (numbers, texts, user()).prop_map(|(numbers, texts, user_properties)| WillProperties {
        will_delay_interval: numbers.0,
        payload_format_indicator: numbers.1,
        message_expiry_interval: numbers.2,
        content_type: texts.0,
        response_topic: texts.1,
        correlation_data: texts.2,
        user_properties,
    })
}

pub(super) fn connack() -> impl Strategy<Value = ConnAckProperties<'static>> {
    let numbers = (of(any::<u32>()), of(any::<NonZeroU16>()), of(any::<NonZeroU32>()));
    let more_numbers = (of(any::<u16>()), of(any::<u16>()));
    let maximum_qos = of(prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce)]);
    let flags = (of(any::<bool>()), of(any::<bool>()), of(any::<bool>()), of(any::<bool>()));
    let texts = (of(text()), of(text()), of(text()), of(text()));
    (numbers, more_numbers, maximum_qos, flags, texts, authentication(), user()).prop_map(
        |(numbers, more_numbers, maximum_qos, flags, texts, authentication, user_properties)| ConnAckProperties {
            session_expiry_interval: numbers.0,
            receive_maximum: numbers.1,
            maximum_qos,
            retain_available: flags.0,
            maximum_packet_size: numbers.2,
            assigned_client_identifier: texts.0,
            topic_alias_maximum: more_numbers.0,
            reason_string: texts.1,
            wildcard_subscription_available: flags.1,
            subscription_identifier_available: flags.2,
            shared_subscription_available: flags.3,
            server_keep_alive: more_numbers.1,
            response_information: texts.2,
            server_reference: texts.3,
            authentication_method: authentication.0,
            authentication_data: authentication.1,
            user_properties,
        },
    )
}

pub(super) fn publish(direction: Direction) -> BoxedStrategy<PublishProperties<'static>> {
    let ids = match direction {
        // MQTT-3.3.4-6.
        Direction::ToServer => Just(SubscriptionIds::default()).boxed(),
        Direction::ToClient => prop_oneof![
            Just(SubscriptionIds::default()),
            subscription_id().prop_map(SubscriptionIds::one),
            prop::collection::vec(subscription_id(), 0..4).prop_map(|ids| leaked(ids).into()),
        ]
        .boxed(),
    };
    let numbers = (of(any::<bool>()), of(any::<u32>()), of(any::<NonZeroU16>()));
    let texts = (of(topic()), of(binary()), of(text()));
    let some = (numbers, texts, ids, user()).prop_map(|(numbers, texts, subscription_ids, user_properties)| {
        PublishProperties {
            payload_format_indicator: numbers.0,
            message_expiry_interval: numbers.1,
            topic_alias: numbers.2,
            response_topic: texts.0,
            correlation_data: texts.1,
            content_type: texts.2,
            subscription_ids,
            user_properties,
        }
    });
    prop_oneof![1 => Just(PublishProperties::default()), 3 => some].boxed()
}

pub(super) fn ack() -> impl Strategy<Value = AckProperties<'static>> {
    (of(text()), user()).prop_map(|(reason_string, user_properties)| AckProperties { reason_string, user_properties })
}

pub(super) fn subscribe() -> impl Strategy<Value = SubscribeProperties<'static>> {
    (of(subscription_id()), user()).prop_map(|(subscription_identifier, user_properties)| SubscribeProperties {
        subscription_identifier,
        user_properties,
    })
}

pub(super) fn suback() -> impl Strategy<Value = SubAckProperties<'static>> {
    (of(text()), user())
        .prop_map(|(reason_string, user_properties)| SubAckProperties { reason_string, user_properties })
}

pub(super) fn unsubscribe() -> impl Strategy<Value = UnsubscribeProperties<'static>> {
    user().prop_map(|user_properties| UnsubscribeProperties { user_properties })
}

pub(super) fn unsuback() -> impl Strategy<Value = UnsubAckProperties<'static>> {
    (of(text()), user())
        .prop_map(|(reason_string, user_properties)| UnsubAckProperties { reason_string, user_properties })
}

/// The session expiry is the client's to say, the server reference the server's (sections 3.14.2.2.2 and 3.14.2.2.5).
pub(super) fn disconnect(direction: Direction) -> impl Strategy<Value = DisconnectProperties<'static>> {
    (of(any::<u32>()), of(text()), of(text()), user()).prop_map(
        move |(session_expiry_interval, reason_string, server_reference, user_properties)| DisconnectProperties {
            session_expiry_interval: session_expiry_interval.filter(|_| direction == Direction::ToServer),
            reason_string,
            server_reference: server_reference.filter(|_| direction == Direction::ToClient),
            user_properties,
        },
    )
}

/// The method is never left out (section 3.15.2.2.2).
pub(super) fn auth() -> impl Strategy<Value = AuthProperties<'static>> {
    (text(), of(binary()), of(text()), user()).prop_map(
        |(method, authentication_data, reason_string, user_properties)| AuthProperties {
            authentication_method: Some(method),
            authentication_data,
            reason_string,
            user_properties,
        },
    )
}

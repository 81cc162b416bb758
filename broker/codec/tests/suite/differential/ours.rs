//! Our packets in plain form. The identifiers are those of section 2.2.2.2, once more by hand.

use talaria_codec::{
    Ack, Auth, ConnAck, Connect, Disconnect, Packet, Publish, ReasonCode, SubAck, Subscribe, UnsubAck, Unsubscribe,
    UserProperties, Version, Will,
};

use super::plain::Plain;

pub(super) fn plain(packet: &Packet<'_>, version: Version) -> Plain {
    match packet {
        Packet::Connect(packet) => connect(packet),
        Packet::ConnAck(packet) => connack(packet, version),
        Packet::Publish(packet) => publish(packet),
        Packet::PubAck(packet) => ack("PUBACK", packet),
        Packet::PubRec(packet) => ack("PUBREC", packet),
        Packet::PubRel(packet) => ack("PUBREL", packet),
        Packet::PubComp(packet) => ack("PUBCOMP", packet),
        Packet::Subscribe(packet) => subscribe(packet),
        Packet::SubAck(packet) => suback(packet),
        Packet::Unsubscribe(packet) => unsubscribe(packet),
        Packet::UnsubAck(packet) => unsuback(packet),
        Packet::PingReq => Plain::new("PINGREQ"),
        Packet::PingResp => Plain::new("PINGRESP"),
        Packet::Disconnect(packet) => disconnect(packet),
        Packet::Auth(packet) => auth(packet),
    }
}

fn with_user(plain: Plain, of: &'static str, user: UserProperties<'_>) -> Plain {
    user.iter().fold(plain, |plain, pair| plain.property(of, 0x26, Some(pair)))
}

fn connect(packet: &Connect<'_>) -> Plain {
    let properties = &packet.properties;
    let plain = Plain::new("CONNECT")
        .with("level", packet.version.level())
        .with("clean start", packet.clean_start)
        .with("keep alive", packet.keep_alive)
        .with("client id", packet.client_id)
        .with("user name", packet.username)
        .with("password", packet.password)
        .property("", 0x11, properties.session_expiry_interval)
        .property("", 0x21, properties.receive_maximum)
        .property("", 0x27, properties.maximum_packet_size)
        .property("", 0x22, properties.topic_alias_maximum)
        .property("", 0x19, properties.request_response_information)
        .property("", 0x17, properties.request_problem_information)
        .property("", 0x15, properties.authentication_method)
        .property("", 0x16, properties.authentication_data);
    let plain = with_user(plain, "", properties.user_properties);
    match &packet.will {
        Some(packet) => will(plain, packet),
        None => plain,
    }
}

fn will(plain: Plain, will: &Will<'_>) -> Plain {
    let properties = &will.properties;
    let plain = plain
        .with("will topic", will.topic)
        .with("will payload", will.payload)
        .with("will qos", will.qos)
        .with("will retain", will.retain)
        .property("will", 0x18, properties.will_delay_interval)
        .property("will", 0x01, properties.payload_format_indicator)
        .property("will", 0x02, properties.message_expiry_interval)
        .property("will", 0x03, properties.content_type)
        .property("will", 0x08, properties.response_topic)
        .property("will", 0x09, properties.correlation_data);
    with_user(plain, "will", properties.user_properties)
}

fn connack(packet: &ConnAck<'_>, version: Version) -> Plain {
    let properties = &packet.properties;
    let plain = Plain::new("CONNACK")
        .with("level", version.level())
        .with("session present", packet.session_present)
        .with("reason", packet.reason.number())
        .property("", 0x11, properties.session_expiry_interval)
        .property("", 0x21, properties.receive_maximum)
        .property("", 0x24, properties.maximum_qos)
        .property("", 0x25, properties.retain_available)
        .property("", 0x27, properties.maximum_packet_size)
        .property("", 0x12, properties.assigned_client_identifier)
        .property("", 0x22, properties.topic_alias_maximum)
        .property("", 0x1F, properties.reason_string)
        .property("", 0x28, properties.wildcard_subscription_available)
        .property("", 0x29, properties.subscription_identifier_available)
        .property("", 0x2A, properties.shared_subscription_available)
        .property("", 0x13, properties.server_keep_alive)
        .property("", 0x1A, properties.response_information)
        .property("", 0x1C, properties.server_reference)
        .property("", 0x15, properties.authentication_method)
        .property("", 0x16, properties.authentication_data);
    with_user(plain, "", properties.user_properties)
}

fn publish(packet: &Publish<'_>) -> Plain {
    let properties = &packet.properties;
    let plain = Plain::new("PUBLISH")
        .with("dup", packet.dup)
        .with("qos", packet.qos)
        .with("retain", packet.retain)
        .with("topic", packet.topic)
        .with("packet id", packet.packet_id)
        .with("payload", packet.payload)
        .property("", 0x01, properties.payload_format_indicator)
        .property("", 0x02, properties.message_expiry_interval)
        .property("", 0x23, properties.topic_alias)
        .property("", 0x08, properties.response_topic)
        .property("", 0x09, properties.correlation_data)
        .property("", 0x03, properties.content_type);
    let ids = properties.subscription_ids.iter();
    let plain = ids.fold(plain, |plain, id| plain.property("", 0x0B, Some(id)));
    with_user(plain, "", properties.user_properties)
}

fn ack(name: &'static str, packet: &Ack<'_>) -> Plain {
    let plain = Plain::new(name).with("packet id", packet.packet_id).with("reason", packet.reason.number()).property(
        "",
        0x1F,
        packet.properties.reason_string,
    );
    with_user(plain, "", packet.properties.user_properties)
}

fn subscribe(packet: &Subscribe<'_>) -> Plain {
    let filters = packet.filters.iter();
    let plain = filters.fold(Plain::new("SUBSCRIBE"), |plain, filter| {
        plain
            .with("filter", filter.filter)
            .with("qos", filter.options.qos)
            .with("no local", filter.options.no_local)
            .with("retain as published", filter.options.retain_as_published)
            .with("retain handling", filter.options.retain_handling as u8)
    });
    let plain = plain.with("packet id", packet.packet_id).property("", 0x0B, packet.properties.subscription_identifier);
    with_user(plain, "", packet.properties.user_properties)
}

fn suback(packet: &SubAck<'_>) -> Plain {
    let plain = Plain::new("SUBACK")
        .with("packet id", packet.packet_id)
        .with("reasons", packet.reasons.iter().map(ReasonCode::number).collect::<Vec<_>>())
        .property("", 0x1F, packet.properties.reason_string);
    with_user(plain, "", packet.properties.user_properties)
}

fn unsubscribe(packet: &Unsubscribe<'_>) -> Plain {
    let plain = Plain::new("UNSUBSCRIBE")
        .with("packet id", packet.packet_id)
        .with("filters", packet.filters.iter().collect::<Vec<_>>());
    with_user(plain, "", packet.properties.user_properties)
}

fn unsuback(packet: &UnsubAck<'_>) -> Plain {
    let plain = Plain::new("UNSUBACK")
        .with("packet id", packet.packet_id)
        .with("reasons", packet.reasons.iter().map(ReasonCode::number).collect::<Vec<_>>())
        .property("", 0x1F, packet.properties.reason_string);
    with_user(plain, "", packet.properties.user_properties)
}

fn disconnect(packet: &Disconnect<'_>) -> Plain {
    let properties = &packet.properties;
    let plain = Plain::new("DISCONNECT")
        .with("reason", packet.reason.number())
        .property("", 0x11, properties.session_expiry_interval)
        .property("", 0x1F, properties.reason_string)
        .property("", 0x1C, properties.server_reference);
    with_user(plain, "", properties.user_properties)
}

fn auth(packet: &Auth<'_>) -> Plain {
    let properties = &packet.properties;
    let plain = Plain::new("AUTH")
        .with("reason", packet.reason.number())
        .property("", 0x15, properties.authentication_method)
        .property("", 0x16, properties.authentication_data)
        .property("", 0x1F, properties.reason_string);
    with_user(plain, "", properties.user_properties)
}

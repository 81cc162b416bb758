"""Drives paho-mqtt from standard input: a JSON object a line, commands in, events out.

It decides nothing: what a command leaves out is left to paho, and every callback becomes a line.
"""

import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def tell(kind, **fields):
    """Writes one line; callbacks come from paho's thread, one at a time, and commands write nothing."""
    sys.stdout.write(json.dumps({"on": kind, **fields}) + "\n")
    sys.stdout.flush()


def told(properties):
    """Properties by name, without those that are not set."""
    return properties.json() if properties is not None else {}


def on_connect(client, userdata, flags, reason, properties):
    tell(
        "connect",
        reason=reason.value,
        failed=reason.is_failure,
        present=flags.session_present,
        properties=told(properties),
    )


def on_connect_fail(client, userdata):
    tell("connect_fail")


def on_disconnect(client, userdata, flags, reason, properties):
    tell("disconnect", reason=reason.value, by_server=flags.is_disconnect_packet_from_server)


def on_subscribe(client, userdata, mid, reasons, properties):
    tell("subscribe", reasons=[reason.value for reason in reasons])


def on_publish(client, userdata, mid, reason, properties):
    tell("publish", mid=mid, reason=reason.value, failed=reason.is_failure, properties=told(properties))


def on_message(client, userdata, message):
    tell(
        "message",
        topic=message.topic,
        payload=message.payload.decode(),
        qos=message.qos,
        dup=message.dup,
    )


def make(command):
    """A client that connects and comes back by itself when it is cut off."""
    is_5 = command["version"] == 5
    arguments = {} if is_5 else {"clean_session": command["clean"]}
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=command["client_id"],
        protocol=mqtt.MQTTv5 if is_5 else mqtt.MQTTv311,
        **arguments,
    )
    if command.get("user") is not None:
        client.username_pw_set(command["user"], command["token"])
    if "will_topic" in command:
        client.will_set(command["will_topic"], command["will_payload"], qos=command.get("will_qos", 0))
    client.on_connect = on_connect
    client.on_connect_fail = on_connect_fail
    client.on_disconnect = on_disconnect
    client.on_subscribe = on_subscribe
    client.on_publish = on_publish
    client.on_message = on_message
    arguments = {}
    if is_5:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = command["expiry_s"]
        if "receive_max" in command:
            properties.ReceiveMaximum = command["receive_max"]
        arguments = {"clean_start": command["clean"], "properties": properties}
    client.connect(command["host"], command["port"], keepalive=command.get("keep_alive_s", 60), **arguments)
    client.loop_start()
    return client


def main():
    client = None
    for line in sys.stdin:
        command = json.loads(line)
        do = command["do"]
        if do == "connect":
            client = make(command)
        elif do == "subscribe":
            client.subscribe(command["topic"], qos=command["qos"])
        elif do == "publish":
            client.publish(command["topic"], command["payload"], qos=command["qos"])
        elif do == "disconnect":
            client.disconnect()
        else:
            raise ValueError(f"no such command: {do}")


main()

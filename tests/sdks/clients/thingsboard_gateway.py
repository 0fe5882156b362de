"""A gateway as its makers write it with the client that ThingsBoard publishes, unmodified.

Arguments: host, port, access token, and the name of a device that is behind it. It says what becomes of it, one JSON object a
line, and goes on until its input ends.
"""

import json
import sys
import threading
import time

from tb_device_mqtt import TBPublishInfo
from tb_gateway_mqtt import TBGatewayMqttClient


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def main(host, port, token, child):
    gateway = TBGatewayMqttClient(host, int(port), token)
    connected = threading.Event()

    def command(client, content):
        say("command", content=content)
        client.gw_send_rpc_reply(content["device"], content["data"]["id"], {"done": content["data"]["method"]})

    gateway.gw_set_server_side_rpc_request_handler(command)
    gateway.connect(callback=lambda *_: connected.set())
    if not connected.wait(30):
        return say("failed", what="no connection")
    while gateway.get_subscriptions_in_progress():
        time.sleep(0.05)
    gateway.gw_connect_device(child).get()
    gateway.gw_subscribe_to_all_device_attributes(child, lambda content: say("shared", content=content))
    sent = gateway.gw_send_telemetry(child, {"ts": int(time.time() * 1000), "values": {"heartRate": 68}})
    say("telemetry", accepted=sent.get() == TBPublishInfo.TB_ERR_SUCCESS)
    sent = gateway.gw_send_attributes(child, {"firmware": "3.1"})
    say("attributes", accepted=sent.get() == TBPublishInfo.TB_ERR_SUCCESS)
    found = threading.Event()

    def attributes(content, error):
        say("found", content=content)
        found.set()

    gateway.gw_request_shared_attributes(child, ["rate"], attributes)
    found.wait(30)
    say("ready")
    sys.stdin.read()
    gateway.gw_disconnect_device(child)
    gateway.disconnect()
    gateway.stop()


main(*sys.argv[1:])

"""A device as its makers write it with the client that ThingsBoard publishes, unmodified.

Arguments: host, port, access token and, for TLS, the file of the authority that is trusted. It says what becomes of it, one
JSON object a line, and goes on until its input ends.
"""

import json
import sys
import threading

from tb_device_mqtt import TBDeviceMqttClient, TBPublishInfo


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def main(host, port, token, authority=None):
    client = TBDeviceMqttClient(host, int(port), username=token)
    connected = threading.Event()

    def command(request, body):
        say("command", method=body["method"], params=body["params"])
        client.send_rpc_reply(request, {"done": body["params"]}, wait_for_publish=True)

    client.set_server_side_rpc_request_handler(command)
    client.subscribe_to_all_attributes(lambda changed, error: say("shared", changed=changed))
    client.connect(callback=lambda *_: connected.set(), tls=authority is not None, ca_certs=authority)
    if not connected.wait(30):
        return say("failed", what="no connection")

    answered = threading.Event()

    def time(request, now, error):
        say("time", now=now)
        answered.set()

    client.send_rpc_call("getCurrentTime", {}, time)
    sent = client.send_telemetry({"heartRate": 71, "spo2": 97})
    say("telemetry", accepted=sent.get() == TBPublishInfo.TB_ERR_SUCCESS)
    sent = client.send_attributes({"firmware": "1.2", "serial": "tb-7"})
    say("attributes", accepted=sent.get() == TBPublishInfo.TB_ERR_SUCCESS)
    answered.wait(30)
    found = threading.Event()

    def attributes(content, error):
        say("found", content=content)
        found.set()

    client.request_attributes(client_keys=["firmware"], shared_keys=["rate"], callback=attributes)
    found.wait(30)
    say("ready", limits=client.rate_limits_received)
    sys.stdin.read()
    client.disconnect()
    client.stop()


main(*sys.argv[1:])

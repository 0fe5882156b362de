"""A device that nobody knows yet as its makers write it with the client that ThingsBoard publishes, unmodified.

Arguments: host, port, key and secret of its hospital, and how it is to be called. It says what becomes of it, one JSON object a
line, and goes on until its input ends.
"""

import json
import sys
import threading

from tb_device_mqtt import TBDeviceMqttClient, TBPublishInfo


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def main(host, port, key, secret, name):
    def provision():
        return TBDeviceMqttClient.provision(host, key, secret, port=int(port), device_name=name)

    if provision() is None:
        return say("refused")
    # Its first token is lost on the way.
    credentials = provision()
    client = TBDeviceMqttClient(host, int(port), username=credentials["credentialsValue"])
    connected = threading.Event()
    client.connect(callback=lambda *_: connected.set())
    if not connected.wait(30):
        return say("failed", what="no connection")
    sent = client.send_telemetry({"heartRate": 73})
    say("telemetry", accepted=sent.get() == TBPublishInfo.TB_ERR_SUCCESS)
    claimed = client.claim("a secret").get()
    say("claim", acknowledged=claimed == TBPublishInfo.TB_ERR_SUCCESS)
    sys.stdin.read()
    client.disconnect()
    client.stop()


main(*sys.argv[1:])

"""A device as its makers write it with the client that Microsoft publishes for Azure IoT Hub, unmodified.

Arguments: host, device, credential, the file of the authority that is trusted and, where the device is to ask the Device
Provisioning Service first, an id scope and a model. The credential is the device's symmetric key, or that of the group of
enrolments where it asks first, or `x509:<certificate file>:<key file>`. It says what becomes of it, one JSON object a line, and
goes on until its input ends. The client knows one port only: 8883, or with `--websockets` 443.
"""

import base64
import hashlib
import hmac
import json
import sys

from azure.iot.device import X509, IoTHubDeviceClient, Message, MethodResponse, ProvisioningDeviceClient
from azure.iot.device.exceptions import ClientError


WEBSOCKETS = "--websockets" in sys.argv


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def shown(credential):
    """The certificate and its key, where it is one."""
    if credential.startswith("x509:"):
        _, certificate, key = credential.split(":")
        return X509(cert_file=certificate, key_file=key)
    return None


def derived(key, device):
    """A device's key, as the documentation of group enrolments makes it from the group's."""
    return base64.b64encode(hmac.new(base64.b64decode(key), device.encode(), hashlib.sha256).digest()).decode()


def provision(host, device, credential, authority, scope, model):
    place = {"websockets": WEBSOCKETS, "provisioning_host": host, "registration_id": device, "id_scope": scope, "server_verification_cert": authority}
    if certificate := shown(credential):
        client = ProvisioningDeviceClient.create_from_x509_certificate(x509=certificate, **place)
    else:
        client = ProvisioningDeviceClient.create_from_symmetric_key(symmetric_key=derived(credential, device), **place)
    client.provisioning_payload = {"modelId": model}
    try:
        result = client.register()
    except ClientError:  # which tells no reason
        return say("registered", status="failed")
    state = result.registration_state
    say("registered", status=result.status, hub=state.assigned_hub, device=state.device_id)
    return state.assigned_hub


def connection(host, device, credential, authority):
    place = {"websockets": WEBSOCKETS, "hostname": host, "device_id": device, "server_verification_cert": authority, "connection_retry": False}
    if certificate := shown(credential):
        return IoTHubDeviceClient.create_from_x509_certificate(x509=certificate, **place)
    return IoTHubDeviceClient.create_from_symmetric_key(symmetric_key=credential, **place)


def main(host, device, credential, path, scope=None, model=None):
    with open(path, encoding="utf-8") as file:
        authority = file.read()
    if scope is not None:
        host = provision(host, device, credential, authority, scope, model)
        if host is None:
            return
        if shown(credential) is None:
            credential = derived(credential, device)
    client = connection(host, device, credential, authority)

    def method(request):
        say("method", name=request.name, payload=request.payload)
        client.send_method_response(MethodResponse.create_from_method_request(request, 201, {"did": request.name}))

    client.on_method_request_received = method
    client.on_message_received = lambda message: say(
        "message", id=message.message_id, data=message.data.decode(), properties=message.custom_properties
    )
    client.on_twin_desired_properties_patch_received = lambda patch: say("desired", patch=patch)
    client.connect()
    telemetry = Message(json.dumps({"heartRate": 71, "spo2": 97}), content_encoding="utf-8", content_type="application/json")
    telemetry.custom_properties["ward"] = "4 West"
    client.send_message(telemetry)
    say("twin", twin=client.get_twin())
    client.patch_twin_reported_properties({"firmware": "1.2", "rate": {"value": 5, "ac": 200, "av": 1}})
    say("reported", twin=client.get_twin())
    sys.stdin.read()
    client.shutdown()


main(*(argument for argument in sys.argv[1:] if not argument.startswith("--")))

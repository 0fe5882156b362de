#!/usr/bin/env python3
"""Runs the Eclipse Paho interoperability suite, which stands elsewhere, as an application of a hospital.

usage: paho.py SUITE CREDENTIALS [client_test.py|client_test5.py [Test.test_name ...]]

SUITE is the folder `interoperability` of a checkout of eclipse-paho/paho.mqtt.testing; CREDENTIALS the `credentials.json`
of `iomt demo`, whose integrator may use every topic but the one that the suite expects to be denied. The suite connects
without a user name and to a port of its own choice: both are given to it here, nothing else of it is changed.
"""

import json
import os
import re
import runpy
import subprocess
import sys
from urllib.parse import urlparse

SUITES = {"client_test.py": "mqtt.clients.V311", "client_test5.py": "mqtt.clients.V5"}


def main() -> int:
    if len(sys.argv) > 3:
        return run(*sys.argv[1:4], sys.argv[4:])
    suite, credentials = sys.argv[1:3]
    failed = 0
    for script in SUITES:
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), os.path.abspath(suite), os.path.abspath(credentials), script],
            capture_output=True,
            text=True,
            check=False,
        )
        count = re.search(r"^Ran (\d+) tests", done.stderr, re.MULTILINE)
        bad = re.findall(r"^(?:FAIL|ERROR): (\w+)", done.stderr, re.MULTILINE)
        total = int(count.group(1)) if count else 0
        print(f"{script}: {total - len(set(bad))} of {total}", *sorted(set(bad)))
        if done.returncode != 0 or total == 0:
            print(done.stderr[-4000:], file=sys.stderr)
            failed = 1
    return failed


def run(suite: str, credentials: str, script: str, tests: list[str]) -> int:
    """One script of the suite, in a process of its own: it keeps what it is told in globals."""
    with open(credentials, encoding="utf-8") as file:
        known = json.load(file)
    tenant = known["tenants"][0]
    token = next(user["token"] for user in tenant["users"] if user["persona"] == "integrator")
    broker = urlparse(known["mqtt"])
    os.chdir(suite)
    sys.path.insert(0, suite)
    client = __import__(SUITES[script], fromlist=["Client"]).Client
    connect = client.connect

    def as_application(self, **arguments):
        arguments.update(host=broker.hostname, port=broker.port, username=f"{tenant['slug']}/app", password=token.encode())
        return connect(self, **arguments)

    client.connect = as_application
    sys.argv = [script, *tests]
    runpy.run_path(script, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())

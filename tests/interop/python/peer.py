"""An agent on the public opentelemetry-opamp-client, for the tests in crates/testkit/tests/interop.

It reads orders from stdin and writes events to stdout, both one JSON object a line; what the client logs goes to
stderr. Orders are `start`, `state`, `stop`. After `stop`, `start` makes a new agent of the same client: the uid stays
and the number goes on.

The client speaks plain HTTP only. It knows no commands, custom messages, health or new uids.
"""

import hashlib
import json
import logging
import sys
import threading
import time

from opentelemetry._opamp.agent import OpAMPAgent
from opentelemetry._opamp.callbacks import OpAMPCallbacks
from opentelemetry._opamp.client import OpAMPClient
from opentelemetry._opamp.proto.opamp_pb2 import AgentToServer, RemoteConfigStatuses
from opentelemetry._opamp.transport.requests import RequestsTransport

# A config with this text in it cannot be applied.
REFUSED = b"refuse me"

# A config that takes a moment to apply is seen as APPLYING.
APPLY_SECONDS = 0.2

_out = threading.Lock()


def say(event, **facts):
    """Writes an event."""
    with _out:
        print(json.dumps({"event": event, **facts}), flush=True)


class Transport(RequestsTransport):
    """The client's own transport; says what each attempt carries."""

    def send(self, *, data, **rest):
        message = AgentToServer.FromString(data)
        full = message.HasField("agent_description")
        say("sent", number=message.sequence_num, full=full, digest=hashlib.sha256(data).hexdigest())
        return super().send(data=data, **rest)


class Callbacks(OpAMPCallbacks):
    """Says what happens, and applies what is offered."""

    def on_connect(self, agent, client):
        say("connected")

    def on_connect_failed(self, agent, client, error):
        say("connect-failed", error=str(error))

    def on_error(self, agent, client, error_response):
        say("error", type=error_response.type, error=error_response.error_message)

    def on_message(self, agent, client, message):
        if message.remote_config is None:
            return
        say("config", hash=message.remote_config.config_hash.hex())
        threading.Thread(target=apply, args=(agent, client, message.remote_config), daemon=True).start()


def apply(agent, client, config):
    """Reports that a config is being applied and how that went; nothing when that has been said before."""
    report(agent, client, config.config_hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLYING)
    time.sleep(APPLY_SECONDS)
    files = config.config.config_map
    if any(REFUSED in file.body for file in files.values()):
        failed = RemoteConfigStatuses.RemoteConfigStatuses_FAILED
        report(agent, client, config.config_hash, failed, "it asks to be refused")
        return
    client.update_effective_config({name: file.body for name, file in files.items()}, "text/yaml")
    report(agent, client, config.config_hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
    # The client has no message for the effective config alone. This one gets the number of the report before it,
    # which has not left yet: a habit of this client that a server has to live with.
    agent.send(client.build_full_state_message())


def report(agent, client, config_hash, status, error=""):
    """Queues a status if it is a new one."""
    changed = client.update_remote_config_status(config_hash, status, error)
    if changed is not None:
        agent.send(client.build_remote_config_status_response_message(changed))


class Peer:
    """The agent: its client outlives what runs it."""

    def __init__(self):
        self.client = None
        self.agent = None

    def start(self, order):
        """Connects; the first time it makes the client."""
        if self.client is None:
            token = order.get("token")
            self.client = OpAMPClient(
                endpoint=order["endpoint"],
                transport=Transport(),
                headers={"Authorization": "Bearer " + token} if token else None,
                tls_certificate=order.get("ca") or True,
                agent_identifying_attributes={"service.name": "opamp-python", "service.version": "0.5b0"},
                agent_non_identifying_attributes={"host.name": order["name"], "os.type": "linux"},
            )
            self.client.update_effective_config({"own.yaml": "own: true\n"}, "text/yaml")
        self.agent = OpAMPAgent(
            client=self.client,
            callbacks=Callbacks(),
            interval=order["heartbeat_ms"] / 1000,
            initial_backoff=0.1,
        )
        self.agent.start()

    def state(self):
        """Queues the full state twice in one go: both get one number."""
        for _ in range(2):
            self.agent.send(self.client.build_full_state_message())

    def stop(self):
        """Says farewell and ends the threads."""
        self.agent.stop(timeout=10)
        say("stopped")


def main():
    """Obeys until stdin ends."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    peer = Peer()
    for line in sys.stdin:
        order = json.loads(line)
        match order["do"]:
            case "start":
                peer.start(order)
            case "state":
                peer.state()
            case "stop":
                peer.stop()
            case other:
                sys.exit(f"no such order: {other}")


main()

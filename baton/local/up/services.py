"""How the services and the gateway are started: each in a process of its own, by the command that
anybody can use (``baton worker NAME``)."""

import hashlib
import platform
import sys
from collections.abc import Sequence

from baton.clients import bootstrap_of
from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY
from baton.local.up.child import Command, Listening
from baton.local.up.ports import METRICS_SETTING, PORT_SETTINGS, PortChoice, WorkerPorts
from baton.local.up.settings import UpSettings
from baton.local.up.write_key import key_environment
from baton.settings import Settings

_BEHIND = frozenset({"sla_watcher", BOARD})
"""Nobody waits for what they do next: clocks are of minutes and hours, the board may be a second
late. A lead waits for every other one."""
_CALLED = {GATEWAY: "http", BOARD: "board", DELIVERY: "delivery", CONCIERGE: "concierge"}
"""What the address is called at which somebody calls it."""


def service_commands(settings: Settings) -> Sequence[Command]:
    """One command a process, with the ports it listens on; raises ``PortTaken``."""
    choice = PortChoice(settings)
    return [_command(name, settings, ports, choice) for name, ports in choice.first().items()]


def _command(name: str, settings: Settings, ports: WorkerPorts, choice: PortChoice) -> Command:
    listening = _listening(name, settings, ports, choice)
    environment = {
        "BATON_BOOTSTRAP": bootstrap_of(settings),
        "BATON_PARTITIONS": str(settings.partition_count),
        "BATON_HOME": str(settings.home),
        # The same after a restart, so that the group gives its tasks back at once instead of
        # sharing them out anew.
        "BATON_INSTANCE_ID": f"{name}-{_place(settings)}",
        **(key_environment(settings.home) if name == GATEWAY else {}),
        **listening.environment,
    }
    return Command(
        name=name,
        words=[sys.executable, "-m", "baton.cli.main", "worker", name],
        environment=environment,
        addresses=listening.addresses,
        nice=UpSettings().background_nice if name in _BEHIND else 0,
        again=listening.again,
    )


def _listening(name: str, settings: Settings, ports: WorkerPorts, choice: PortChoice) -> Listening:
    environment = {METRICS_SETTING: str(ports.metrics)}
    addresses = {"metrics": f"http://{_reachable(settings.metrics_host)}:{ports.metrics}"}
    if name in _CALLED:
        environment[PORT_SETTINGS[name]] = str(ports.own)
        addresses = {_CALLED[name]: f"http://127.0.0.1:{ports.own}", **addresses}
    return Listening(
        environment=environment,
        addresses=addresses,
        again=lambda: _listening(name, settings, choice.again(ports), choice),
    )


def _place(settings: Settings) -> str:
    """Distinguishes this run's members from those of another machine or another home in the same
    groups."""
    return hashlib.sha256(f"{platform.node()}\n{settings.home.resolve()}".encode()).hexdigest()[:12]


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # compared, not bound

"""How the services and the gateway are started: each in a process of its own, by the command that
anybody can use (``baton worker NAME``)."""

import hashlib
import platform
import sys
from collections.abc import Sequence

from baton.clients import bootstrap_of
from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY
from baton.local.up.child import Command
from baton.local.up.ports import PortChoice, WorkerPorts
from baton.local.up.settings import UpSettings
from baton.local.up.write_key import key_environment
from baton.settings import Settings

_BEHIND = frozenset({"sla_watcher", BOARD})
"""Nobody waits for what they do next: clocks are of minutes and hours, the board may be a second
late. A lead waits for every other one."""


def service_commands(settings: Settings) -> Sequence[Command]:
    """One command a process, with the ports it listens on; raises ``PortTaken``."""
    choice = PortChoice(settings)
    return [_command(name, settings, ports, choice) for name, ports in choice.first().items()]


def _command(name: str, settings: Settings, ports: WorkerPorts, choice: PortChoice) -> Command:
    metrics_port, own_port = ports.metrics, ports.own
    environment = {
        "BATON_BOOTSTRAP": bootstrap_of(settings),
        "BATON_PARTITIONS": str(settings.partition_count),
        "BATON_HOME": str(settings.home),
        "BATON_METRICS_PORT": str(metrics_port),
        # The same after a restart, so that the group gives its tasks back at once instead of
        # sharing them out anew.
        "BATON_INSTANCE_ID": f"{name}-{_place(settings)}",
    }
    addresses = {"metrics": f"http://{_reachable(settings.metrics_host)}:{metrics_port}"}
    if name == GATEWAY:
        environment |= {"BATON_GATEWAY_PORT": str(own_port), **key_environment(settings.home)}
        addresses = {"http": f"http://127.0.0.1:{own_port}", **addresses}
    if name == BOARD:
        environment["BATON_BOARD_PORT"] = str(own_port)
        addresses = {"board": f"http://127.0.0.1:{own_port}", **addresses}
    if name == DELIVERY:
        environment["BATON_DELIVERY_PORT"] = str(own_port)
        addresses = {"delivery": f"http://127.0.0.1:{own_port}", **addresses}
    if name == CONCIERGE:
        environment["BATON_DELIVERY_CONCIERGE_PORT"] = str(own_port)
        addresses = {"concierge": f"http://127.0.0.1:{own_port}", **addresses}
    words = [sys.executable, "-m", "baton.cli.main", "worker", name]
    nice = UpSettings().background_nice if name in _BEHIND else 0
    return Command(
        name=name,
        words=words,
        environment=environment,
        addresses=addresses,
        nice=nice,
        again=lambda: _command(name, settings, choice.again(ports), choice),
    )


def _place(settings: Settings) -> str:
    """Distinguishes this run's members from those of another machine or another home in the same
    groups."""
    return hashlib.sha256(f"{platform.node()}\n{settings.home.resolve()}".encode()).hexdigest()[:12]


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # compared, not bound

"""Several Apache Kafka nodes on one machine, from the same jars as the embedded broker: three
copies of everything, two of which must have a record before it is acknowledged.

For proofs and trying out. Each node is broker and controller. Unlike the single node, one that
starts again finds others that lead, so it needs no fencing before its start.
"""

import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from baton.cluster.ready import answers
from baton.local.broker.config import BrokerPorts, Member, member_properties
from baton.local.broker.fetch import fetch_jars
from baton.local.broker.free_ports import LOOPBACK, free_port
from baton.local.broker.node_process import (
    BrokerFailed,
    NodeProcess,
    new_cluster_id,
    require_room,
)
from baton.local.private_files import private_folder
from baton.processes import Mark, end, is_running, send, wait_gone

_STOP_GRACE_S = 20.0
_KILL_WAIT_S = 10.0

Within = Callable[[int], tuple[str, Sequence[str]]]
"""The host of a node by its number, and the words to run it there."""


def on_loopback(number: int) -> tuple[str, Sequence[str]]:
    """Every node on the loopback."""
    del number
    return LOOPBACK, ()


class ClusterNode:
    """One node. Signals go to its process alone."""

    def __init__(self, own: Member, process: NodeProcess) -> None:
        self.own, self._process = own, process
        self._mark: Mark | None = None

    @property
    def address(self) -> str:
        """For clients."""
        return f"{self.own.host}:{self.own.ports.clients}"

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._mark is not None and is_running(self._mark)

    def prepare(self, jars: Sequence[Path], members: Sequence[Member], cluster: str) -> None:
        """Write its settings and make its data folder."""
        data, settings = self._process.home / "data", self._process.home / "server.properties"
        private_folder(self._process.home)
        settings.write_text(member_properties(data, self.own, members))
        if not data.is_dir():
            self._process.format(jars, settings, cluster)

    def launch(self, jars: Sequence[Path]) -> None:
        """Start it without waiting."""
        self._mark = self._process.spawn(jars, self._process.home / "server.properties")

    def wait_ready(self) -> None:
        """Wait until a client gets an answer. Raises :class:`BrokerFailed` or ``PortTaken``."""
        assert self._mark is not None
        self._process.wait(
            self._mark,
            lambda: answers(self.address, timeout_s=1.0),
            f"node {self.own.number} gave no answer",
            where=self.address,
        )

    def send(self, number: signal.Signals) -> None:
        """Signal it. Raises :class:`BrokerFailed` where it does not run."""
        if self._mark is None or not send(self._mark, number):
            raise BrokerFailed(f"node {self.own.number} does not run")
        if number is signal.SIGKILL:
            wait_gone(self._mark, _KILL_WAIT_S)
            self._process.collect()

    def stop(self) -> None:
        """End it, by force if need be."""
        if self._mark is not None:
            end(self._mark, grace_s=_STOP_GRACE_S)
            self._process.collect()
            self._mark = None


class EmbeddedCluster:
    """``size`` nodes below ``home``."""

    def __init__(
        self,
        home: Path,
        size: int,
        *,
        cache: Path,
        within: Within = on_loopback,
        heap_mb: int = 448,
        ready_timeout_s: float = 120.0,
    ) -> None:
        self._home, self._cache = home, cache
        self._jars: Sequence[Path] = ()
        self.nodes = []
        taken = 0
        for number in range(1, size + 1):
            host, words = within(number)
            clients = free_port(but=taken)
            taken = free_port(but=clients)
            process = NodeProcess(
                home / f"node-{number}",
                heap_mb=heap_mb,
                ready_timeout_s=ready_timeout_s,
                within=words,
            )
            ports = BrokerPorts(clients=clients, controller=taken)
            self.nodes.append(ClusterNode(Member(number=number, host=host, ports=ports), process))

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> str:
        """Start every node, wait until all answer, and return their addresses."""
        self._jars = fetch_jars(self._cache)
        self._home.mkdir(parents=True, exist_ok=True)
        require_room(self._home)
        members, cluster = [node.own for node in self.nodes], new_cluster_id()
        for node in self.nodes:
            node.prepare(self._jars, members, cluster)
        for node in self.nodes:
            node.launch(self._jars)
        for node in self.nodes:
            node.wait_ready()
        return self.bootstrap

    def restart(self, node: ClusterNode) -> None:
        """Start a node that has ended, and wait until it answers."""
        node.launch(self._jars)
        node.wait_ready()

    def stop(self) -> None:
        """Stop every node. Calling it again does no harm."""
        for node in self.nodes:
            node.stop()

    def remove(self) -> None:
        """End every node and delete all data, so none is given time to look after it: the last
        ones, without a quorum, would use all of it."""
        for node in self.nodes:
            with suppress(BrokerFailed):  # it does not run
                node.send(signal.SIGKILL)
        shutil.rmtree(self._home, ignore_errors=True)

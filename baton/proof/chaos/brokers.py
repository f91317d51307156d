"""The brokers of a run, one or several, and what can be done to them."""

import shutil
import signal
import time
from pathlib import Path
from typing import Protocol

from baton.local.broker.backup import make_backup, put_back
from baton.local.broker.broker_record import broker_home
from baton.local.broker.embedded import EmbeddedBroker
from baton.local.broker.embedded_cluster import ClusterNode, EmbeddedCluster, on_loopback
from baton.proof.chaos.node_network import Network

_READY_S = 900.0
_DOWN_S = 4.0


class CannotBe(RuntimeError):
    """These brokers cannot suffer such a fault."""


class Brokers(Protocol):
    """``target``: which of them, a number to be taken modulo. Each method returns when the fault is
    over."""

    def start(self) -> str:
        """Start, and give the addresses for clients."""

    def stop(self) -> None:
        """Stop; the data stay."""

    def remove(self) -> None:
        """Stop, and delete the data."""

    def kill(self, target: int) -> None:
        """End one at once, and start it again."""

    def freeze(self, target: int, seconds: float) -> None:
        """Stop the clock of one."""

    def part(self, target: int, seconds: float) -> None:
        """Cut the network between one and the others, or between one and everybody."""

    def restore(self) -> None:
        """Stop, back up, delete everything, and start from the backup."""


class OneBroker:
    """The embedded broker below ``home``."""

    def __init__(self, home: Path, cache: Path) -> None:
        self._home, self._cache = home, cache
        self._broker = self._at(0)

    def start(self) -> str:
        """As :class:`Brokers` has it; the address stays the same from then on."""
        address = self._broker.start()
        self._broker = self._at(int(address.rpartition(":")[2]))
        return address

    def stop(self) -> None:
        """As :class:`Brokers` has it."""
        self._broker.stop()

    def remove(self) -> None:
        """As :class:`Brokers` has it."""
        self._broker.remove()

    def kill(self, target: int) -> None:
        """As :class:`Brokers` has it."""
        del target
        self._broker.kill()
        self._broker.start()

    def freeze(self, target: int, seconds: float) -> None:
        """As :class:`Brokers` has it."""
        del target
        self._broker.pause()
        time.sleep(seconds)
        self._broker.resume()

    def part(self, target: int, seconds: float) -> None:
        """There are no others."""
        raise CannotBe("one broker cannot be parted from others")

    def restore(self) -> None:
        """As :class:`Brokers` has it."""
        file = self._home / "backup.tgz"
        self._broker.stop()
        make_backup(self._home, file)
        shutil.rmtree(self._broker.home)
        put_back(self._home, file)
        self._broker.start()

    def _at(self, port: int) -> EmbeddedBroker:
        return EmbeddedBroker(
            broker_home(self._home), port, cache=self._cache, ready_timeout_s=_READY_S
        )


class SeveralBrokers:
    """``size`` nodes below ``home``. ``network``: joins them, where it can be cut."""

    def __init__(self, home: Path, cache: Path, size: int, network: Network | None) -> None:
        self._network = network
        self._cluster = EmbeddedCluster(
            broker_home(home),
            size,
            cache=cache,
            within=on_loopback if network is None else network.within,
        )

    def start(self) -> str:
        """As :class:`Brokers` has it."""
        return self._cluster.start()

    def stop(self) -> None:
        """As :class:`Brokers` has it."""
        self._cluster.stop()
        self._close()

    def remove(self) -> None:
        """As :class:`Brokers` has it."""
        self._cluster.remove()
        self._close()

    def kill(self, target: int) -> None:
        """As :class:`Brokers` has it; it is away long enough for others to lead."""
        node = self._node(target)
        node.send(signal.SIGKILL)
        time.sleep(_DOWN_S)
        self._cluster.restart(node)

    def freeze(self, target: int, seconds: float) -> None:
        """As :class:`Brokers` has it; others lead meanwhile, and it does not know."""
        node = self._node(target)
        node.send(signal.SIGSTOP)
        time.sleep(seconds)
        node.send(signal.SIGCONT)

    def part(self, target: int, seconds: float) -> None:
        """As :class:`Brokers` has it: two times in three clients still reach it."""
        if self._network is None:
            raise CannotBe("this machine allows no network namespaces")
        number = self._node(target).own.number
        (self._network.cut if target % 3 else self._network.isolate)(number)
        time.sleep(seconds)
        self._network.heal(number)

    def restore(self) -> None:
        """A backup is of one node."""
        raise CannotBe("a backup is of one broker")

    def _node(self, target: int) -> ClusterNode:
        return self._cluster.nodes[target % len(self._cluster.nodes)]

    def _close(self) -> None:
        if self._network is not None:
            self._network.close()


def brokers_of(home: Path, cache: Path, size: int, network: Network | None) -> Brokers:
    """``size`` brokers."""
    return OneBroker(home, cache) if size == 1 else SeveralBrokers(home, cache, size, network)

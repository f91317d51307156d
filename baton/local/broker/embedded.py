"""One Apache Kafka node as a process of its own: started, awaited, stopped, and on purpose broken
for tests.

``home`` holds everything: data, settings, log, and ``broker.json``, which says which process it is.
So another command, or a later run after a crash, finds it again. Data stays over restarts; a
process is never signalled unless its mark fits.

Before each start on data that is there, the node's controller runs alone until it has fenced the
broker of before. A node that starts with metadata in which it leads its partitions acts on it,
until the controller, which has just started too, takes the leadership away for a moment: to a
transaction coordinator a partition without a leader is one that was deleted, so it leaves out the
marker of a transaction that was just being ended. Seen one time in twenty: a batch committed in
some of its topics, or open for ever in one.
"""

import contextlib
import fcntl
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from baton.cluster.ready import answers
from baton.local.broker.broker_record import (
    BrokerRecord,
    forget_record,
    read_record,
    running_broker,
    running_process,
    write_record,
)
from baton.local.broker.config import (
    BrokerPorts,
    Listener,
    controller_properties,
    server_properties,
)
from baton.local.broker.fence import is_fenced
from baton.local.broker.fetch import Progress, fetch_jars
from baton.local.broker.free_ports import PortTaken, free_port, require_free
from baton.local.broker.node_process import (
    BrokerFailed,
    NodeProcess,
    lines_of,
    new_cluster_id,
    require_room,
)
from baton.local.private_files import private_folder
from baton.processes import end, send, wait_gone

_READY_TIMEOUT_S = 60.0
_STOP_GRACE_S = 20.0
_KILL_WAIT_S = 10.0
_START_TRIES = 3
_APPEND_S = 0.2
"""A controller logs what it decides before it writes it
(``controller.quorum.append.linger.ms``, 25)."""


class BrokerRunning(BrokerFailed):
    """A broker with this home runs already."""


class EmbeddedBroker:
    """The broker that lives in ``home``. ``port`` 0 chooses a free one at the first start and keeps
    it. ``also``: another way in. ``ready_timeout_s``: how long each of the two steps of a start may
    take; after a kill the node reads again whatever was not yet on the disk for certain."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        cache: Path,
        repository: str | None = None,
        heap_mb: int = 768,
        ready_timeout_s: float = _READY_TIMEOUT_S,
        progress: Progress | None = None,
        also: Listener | None = None,
    ) -> None:
        self.home = home
        self._process = NodeProcess(home, heap_mb=heap_mb, ready_timeout_s=ready_timeout_s)
        self.log = self._process.log
        self._wanted_port = port
        self._cache = cache
        self._repository = repository
        self._progress = progress
        self._also = also

    @property
    def record(self) -> BrokerRecord | None:
        """What is written of the last start, whether it still runs or not."""
        return read_record(self.home)

    @property
    def running(self) -> BrokerRecord | None:
        """The record of the process if it runs now."""
        return running_broker(self.home)

    @property
    def bootstrap(self) -> str:
        """The address for clients; raises :class:`BrokerFailed` if it was never started."""
        record = self.record
        if record is None:
            raise BrokerFailed(f"{self.home}: the broker was never started")
        return record.bootstrap

    def start(self) -> str:
        """Start it, wait until a client gets an answer, and return its address.

        Raises :class:`BrokerRunning`, ``PortTaken``, ``FetchFailed`` or :class:`BrokerFailed`.
        """
        with self._home_lock():
            if (running := self.running) is not None:
                raise BrokerRunning(
                    f"the broker of {self.home} runs already (pid {running.mark.pid}, "
                    f"{running.bootstrap})"
                )
            self.stop()  # a controller whose starter was killed
            jars = fetch_jars(self._cache, progress=self._progress, repository=self._repository)
            require_room(self.home)
            for attempt in range(1, _START_TRIES + 1):
                ports = self._choose_ports()
                try:
                    if self._format(jars, ports):
                        self._fence(jars, ports)
                    return self._launch(jars, ports)
                except PortTaken:
                    # Somebody took a port between our looking and Kafka's binding; one that we
                    # chose can be chosen again.
                    if attempt == _START_TRIES:
                        raise
                    forget_record(self.home)
            raise AssertionError("unreachable")

    def stop(self) -> bool:
        """Stop it cleanly, killing it if it does not; False if it did not run. Calling it again
        does no harm."""
        running = running_process(self.home)
        if running is not None:
            end(running.mark, grace_s=_STOP_GRACE_S)
        self._process.collect()
        return running is not None

    def kill(self) -> None:
        """End it at once, as a power cut does (kill -9)."""
        self._signal(signal.SIGKILL)
        record = self.record
        if record is not None:
            wait_gone(record.mark, _KILL_WAIT_S)
        self._process.collect()

    def pause(self) -> None:
        """Stop its clock: it holds its connections and answers nobody (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self._signal(signal.SIGCONT)

    def restart(self) -> str:
        """Stop and start it on the same data and port."""
        self.stop()
        return self.start()

    def remove(self) -> None:
        """Stop it and delete all its data."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def last_log_lines(self, count: int = 12) -> Sequence[str]:
        """The end of its log."""
        return self._process.last_log_lines(count)

    # ---- starting

    @contextlib.contextmanager
    def _home_lock(self) -> Iterator[None]:
        """One start at a time for one home. The lock ends with the process that holds it, so a
        crash leaves none."""
        private_folder(self.home)
        with (self.home / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _choose_ports(self) -> BrokerPorts:
        former = self.record
        kept = former.port if former is not None and not self._wanted_port else 0
        if self._wanted_port:
            require_free(self._wanted_port, setting="BATON_BROKER_PORT")
        clients = self._wanted_port or free_port(kept)
        return BrokerPorts(
            clients=clients,
            controller=free_port(former.controller_port if former else 0, but=clients),
        )

    def _format(self, jars: Sequence[Path], ports: BrokerPorts) -> bool:
        """Write the settings; make the data folder if there is none, whole or not at all. Gives
        whether there was one."""
        data, fresh = self.home / "data", self.home / "data.new"
        settings = self.home / "server.properties"
        (self.home / "controller.properties").write_text(controller_properties(data, ports))
        if not (kept := data.is_dir()):
            shutil.rmtree(fresh, ignore_errors=True)
            settings.write_text(server_properties(fresh, ports, self._also))
            self._process.format(jars, settings, new_cluster_id())
            fresh.rename(data)
        private_folder(data)
        settings.write_text(server_properties(data, ports, self._also))
        return kept

    def _fence(self, jars: Sequence[Path], ports: BrokerPorts) -> None:
        """Have it written down that the broker of before is gone, before anything can act as if it
        were there."""
        with self._running(jars, "controller.properties", ports, fencing=True) as controller:
            self._process.wait(
                controller.mark,
                lambda: is_fenced(lines_of(self.log)),
                "the controller did not fence the broker of before",
                where=_where(ports),
            )
            time.sleep(_APPEND_S)
            end(controller.mark, grace_s=_STOP_GRACE_S)
            self._process.collect()

    def _launch(self, jars: Sequence[Path], ports: BrokerPorts) -> str:
        with self._running(jars, "server.properties", ports) as node:
            self._process.wait(
                node.mark,
                lambda: answers(node.bootstrap, timeout_s=1.0),
                "the broker gave no answer",
                where=_where(ports),
            )
            return node.bootstrap

    @contextlib.contextmanager
    def _running(
        self, jars: Sequence[Path], settings: str, ports: BrokerPorts, *, fencing: bool = False
    ) -> Iterator[BrokerRecord]:
        """Start a process and write it down; it is ended again if what is done with it fails."""
        record = BrokerRecord(
            mark=self._process.spawn(jars, self.home / settings),
            port=ports.clients,
            controller_port=ports.controller,
            fencing=fencing,
        )
        write_record(self.home, record)
        try:
            yield record
        except BaseException:
            end(record.mark, grace_s=_KILL_WAIT_S)
            self._process.collect()
            raise

    # ---- keeping track

    def _signal(self, number: signal.Signals) -> None:
        record = self.record
        if record is None or not send(record.mark, number):
            raise BrokerFailed(f"the broker of {self.home} does not run")


def _where(ports: BrokerPorts) -> str:
    return f"127.0.0.1:{ports.clients} or :{ports.controller}"

"""Makes the archive of ``java_archive.py``: starts a broker of its own, uses it a little and stops
it, and Java writes down what it has loaded (JEP 514).

That takes some ten seconds, once for each version of Kafka, so nothing makes the archive unasked:
``baton broker prepare`` does, and the tests.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports the class
    AdminClient,
    NewTopic,
)

from baton.cluster.ready import answers
from baton.local.broker.broker_record import BrokerRecord, running_process, write_record
from baton.local.broker.config import BrokerPorts, server_properties
from baton.local.broker.free_ports import free_port
from baton.local.broker.java_archive import SUFFIX, archive_of
from baton.local.broker.node_process import BrokerFailed, NodeProcess, new_cluster_id
from baton.processes import end

_PREFIX = ".training-"
_HEAP_MB = 512
_TOPIC = "training.v1"
_ANSWER_S = 120.0
_ASSEMBLY_S = 600.0
"""How long the stop may take, in which Java writes the archive: five seconds where it is alone."""


def ensure_archive(jars: Sequence[Path], *, ready_timeout_s: float) -> Path:
    """The archive's path; it is made if it is missing, by one of the processes that ask.

    Raises ``BrokerFailed`` where no archive comes of it. A failure leaves nothing behind.
    """
    archive = archive_of(jars)
    with (archive.parent / "archive.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _clear_away_killed(archive.parent)
        if not archive.exists():
            home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=archive.parent))
            try:
                _train(jars, home, ready_timeout_s).replace(archive)
            finally:
                shutil.rmtree(home, ignore_errors=True)
            for former in set(archive.parent.glob(f"*{SUFFIX}")) - {archive}:
                former.unlink(missing_ok=True)
    return archive


def _clear_away_killed(folder: Path) -> None:
    """End the broker of a training that was killed, and delete its folder. The lock is held, so no
    other training runs."""
    for home in folder.glob(f"{_PREFIX}*"):
        if (running := running_process(home)) is not None:
            end(running.mark, grace_s=0.0)
        shutil.rmtree(home, ignore_errors=True)


def _train(jars: Sequence[Path], home: Path, ready_timeout_s: float) -> Path:
    written = home / f"written{SUFFIX}"
    node = NodeProcess(
        home,
        heap_mb=_HEAP_MB,
        ready_timeout_s=ready_timeout_s,
        java_options=[f"-XX:AOTCacheOutput={written}"],
    )
    clients = free_port()
    ports = BrokerPorts(clients=clients, controller=free_port(but=clients))
    settings = home / "server.properties"
    settings.write_text(server_properties(home / "data", ports))
    node.format(jars, settings, new_cluster_id())
    address = f"127.0.0.1:{clients}"
    mark = node.spawn(jars, settings)
    try:
        write_record(home, BrokerRecord(mark=mark, port=clients, controller_port=ports.controller))
        node.wait(
            mark,
            lambda: answers(address, timeout_s=1.0),
            "the broker gave no answer",
            where=address,
        )
        _use(address)
    finally:
        end(mark, grace_s=_ASSEMBLY_S)
        node.collect()
    if not written.exists():
        last = "\n  ".join(node.last_log_lines())
        raise BrokerFailed(f"Java wrote no archive of Kafka's classes; its last words:\n  {last}")
    return written


def _use(address: str) -> None:
    """One transaction: what it needs is loaded when it comes first."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    admin.create_topics([NewTopic(_TOPIC, 1, 1)])[_TOPIC].result(_ANSWER_S)
    config = {"bootstrap.servers": address, "transactional.id": _TOPIC, "log_level": 0}
    producer = Producer(config)
    producer.init_transactions(_ANSWER_S)
    producer.begin_transaction()
    producer.produce(_TOPIC, b"used")
    producer.commit_transaction(_ANSWER_S)

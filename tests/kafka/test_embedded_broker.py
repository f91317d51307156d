"""The embedded broker: starts, keeps its data, survives what happens to it, and leaves nothing
behind."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer, IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from baton.cluster.log import patiently
from baton.cluster.ready import answers
from baton.local.broker import node_process
from baton.local.broker.broker_record import (
    read_record,
    running_broker,
    running_process,
    write_record,
)
from baton.local.broker.config import BrokerPorts, server_properties
from baton.local.broker.embedded import BrokerFailed, BrokerRunning, EmbeddedBroker
from baton.local.broker.fetch import fetch_jars
from baton.local.broker.free_ports import LOOPBACK, PortTaken
from baton.local.broker.java_archive import archive_of
from baton.local.broker.node_process import NodeProcess, new_cluster_id
from baton.processes import is_running, wait_gone
from tests.patience import BROKER_READY_S

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPIC = "kept.v1"
LOG_APPEND_TIME = 2


def _broker(home: Path, cache: Path) -> EmbeddedBroker:
    return EmbeddedBroker(home, cache=cache, heap_mb=512, ready_timeout_s=BROKER_READY_S)


@pytest.fixture
def broker(tmp_path: Path, broker_cache: Path) -> Iterator[EmbeddedBroker]:
    """A broker of one's own, to be broken."""
    made = _broker(tmp_path / "broker", broker_cache)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, broker_cache: Path
) -> Iterator[EmbeddedBroker]:
    """A broker that runs and is only asked. Its first format was cut off, and its cluster's id
    begins with a hyphen."""
    home = tmp_path_factory.mktemp("shared") / "broker"
    half = home / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\n")
    made = _broker(home, broker_cache)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(node_process.uuid, "uuid4", lambda: UUID(bytes=b"\xf8" * 16))
        made.start()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def home_of_a_stopped_one(
    tmp_path_factory: pytest.TempPathFactory, broker_cache: Path
) -> Iterator[Path]:
    """What a broker leaves that ran and was stopped."""
    made = _broker(tmp_path_factory.mktemp("stopped") / "broker", broker_cache)
    made.start()
    assert made.stop() is True
    yield made.home
    made.remove()


@pytest.fixture
def stopped(
    home_of_a_stopped_one: Path, tmp_path: Path, broker_cache: Path
) -> Iterator[EmbeddedBroker]:
    """A broker of one's own that ran before."""
    made = _broker(Path(shutil.copytree(home_of_a_stopped_one, tmp_path / "former")), broker_cache)
    yield made
    made.remove()


def _produce(bootstrap: str, text: str) -> None:
    producer = Producer(
        {"bootstrap.servers": bootstrap, "message.timeout.ms": 20_000, "log_level": 0}
    )
    failures: list[object] = []
    producer.produce(TOPIC, text, on_delivery=lambda error, _: failures.append(error))
    producer.flush(25)
    assert failures == [None]


def _read(bootstrap: str, count: int) -> list[tuple[str, int]]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    try:
        return [
            (record.value().decode(), record.timestamp()[0])
            for record in consumer.consume(count, timeout=60)
        ]
    finally:
        consumer.close()


def _make_topic(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(60)


def test_data_address_and_settings_stay_over_a_stop_a_kill_and_a_pause(
    broker: EmbeddedBroker,
) -> None:
    first = broker.start()
    _make_topic(first)
    _produce(first, "before the stop")
    assert broker.restart() == first

    _produce(first, "before the kill")
    broker.kill()
    assert broker.running is None
    assert not answers(first, timeout_s=0.5)
    assert broker.start() == first

    broker.pause()
    assert broker.running is not None
    assert not answers(first, timeout_s=0.5)
    broker.resume()
    assert answers(first, timeout_s=60)
    _produce(first, "after the pause")

    assert _read(first, 3) == [
        (text, LOG_APPEND_TIME)
        for text in ("before the stop", "before the kill", "after the pause")
    ]


def _end(bootstrap: str, isolation: IsolationLevel) -> int:
    place = TopicPartition(TOPIC, 0)
    admin = AdminClient({"bootstrap.servers": bootstrap})

    def ask() -> Any:
        asked = admin.list_offsets({place: OffsetSpec.latest()}, isolation_level=isolation)
        return asked[place].result(60)

    return int(patiently(ask).offset)


def test_transactions_that_a_kill_left_open_are_ended_and_hold_no_reader_back(
    broker: EmbeddedBroker,
) -> None:
    """They run out while the node starts. One that had metadata in which it leads its partitions
    ended them without a marker, since in the next moment nobody led them."""
    address = broker.start()
    _make_topic(address)
    for number in range(5):
        config = {
            "bootstrap.servers": address,
            "transactional.id": f"t{number}",
            "transaction.timeout.ms": 1_000,
            "log_level": 0,
        }
        producer = Producer(config)
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(TOPIC, "never committed")
        assert producer.flush(20) == 0
    broker.kill()
    broker.start()
    deadline = time.monotonic() + 120
    while _end(address, IsolationLevel.READ_COMMITTED) < (
        end := _end(address, IsolationLevel.READ_UNCOMMITTED)
    ):
        assert time.monotonic() < deadline, f"{TOPIC} is held back before {end}"
        time.sleep(0.2)
    assert end == 10, "five records and five markers"


def test_a_stray_client_makes_no_topic_and_the_log_has_the_brokers_time(
    shared: EmbeddedBroker,
) -> None:
    admin = AdminClient({"bootstrap.servers": shared.bootstrap})
    assert admin.list_topics("never-made.v1", timeout=60).topics["never-made.v1"].error is not None
    assert "never-made.v1" not in admin.list_topics(timeout=60).topics
    (described,) = admin.describe_configs([ConfigResource(ResourceType.BROKER, "1")]).values()
    found = {name: entry.value for name, entry in described.result(60).items()}
    expected = {"log.message.timestamp.type": "LogAppendTime", "auto.create.topics.enable": "false"}
    assert {name: found[name] for name in expected} == expected


def test_a_format_that_was_cut_off_is_made_again_and_a_cluster_id_may_begin_with_a_hyphen(
    shared: EmbeddedBroker,
) -> None:
    assert answers(shared.bootstrap, timeout_s=60)
    assert "cluster.id=-" in (shared.home / "data" / "meta.properties").read_text()
    assert not (shared.home / "data.new").exists()


def test_a_second_start_is_refused(shared: EmbeddedBroker, broker_cache: Path) -> None:
    another = EmbeddedBroker(shared.home, cache=broker_cache)
    assert another.running == shared.running is not None
    with pytest.raises(BrokerRunning, match=rf"runs already \(pid \d+, {shared.bootstrap}\)"):
        another.start()
    assert answers(shared.bootstrap, timeout_s=60)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_starts_from_the_archive_of_kafkas_classes(
    shared: EmbeddedBroker, broker_cache: Path
) -> None:
    assert shared.record is not None
    maps = Path(f"/proc/{shared.record.mark.pid}/maps").read_text()
    assert str(archive_of(fetch_jars(broker_cache))) in maps


def test_java_passes_over_an_archive_that_is_none(tmp_path: Path, broker_cache: Path) -> None:
    jars = fetch_jars(broker_cache)
    folder = tmp_path / "cache"
    folder.mkdir()
    linked = [folder / jar.name for jar in jars]
    for link, jar in zip(linked, jars, strict=True):
        link.symlink_to(jar)
    archive_of(linked).write_bytes(b"no archive " * 1000)
    settings = tmp_path / "server.properties"
    ports = BrokerPorts(clients=9092, controller=9093)
    settings.write_text(server_properties(tmp_path / "data", ports))
    node = NodeProcess(tmp_path, heap_mb=256, ready_timeout_s=BROKER_READY_S)
    node.format(linked, settings, new_cluster_id())
    assert (tmp_path / "data" / "meta.properties").is_file()


def test_a_stop_before_any_start_does_no_harm(broker: EmbeddedBroker) -> None:
    assert broker.stop() is False


def test_a_double_stop_does_no_harm(stopped: EmbeddedBroker) -> None:
    assert stopped.running is None
    assert stopped.stop() is False
    with pytest.raises(BrokerFailed, match="does not run"):
        stopped.kill()


def test_what_a_killed_run_left_behind_is_stopped_by_the_next_and_removed_without_a_trace(
    broker: EmbeddedBroker, broker_cache: Path
) -> None:
    program = f"""
import os, signal
from pathlib import Path
from baton.local.broker.embedded import EmbeddedBroker
EmbeddedBroker(Path({str(broker.home)!r}), cache=Path({str(broker_cache)!r}), heap_mb=512,
    ready_timeout_s={BROKER_READY_S}).start()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert (
        subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    )
    left = running_broker(broker.home)
    assert left is not None
    assert answers(left.bootstrap, timeout_s=60)
    assert broker.stop() is True
    assert not is_running(left.mark)
    assert broker.start() == left.bootstrap

    record = broker.record
    assert record is not None
    broker.remove()
    assert wait_gone(record.mark, 1)
    assert not broker.home.exists()


def test_a_stale_record_of_a_pid_that_is_somebody_elses_now_is_not_believed(
    stopped: EmbeddedBroker,
) -> None:
    record = stopped.record
    assert record is not None
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        long_ago = replace(record.mark, pid=bystander.pid, started=record.mark.started - 3_600)
        write_record(stopped.home, replace(record, mark=long_ago))
        assert stopped.running is None
        stopped.start()
        stopped.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("cut", ["", "{", '{"mark": {"pid": 1}}', "[]"])
def test_a_record_that_was_cut_off_is_as_none(tmp_path: Path, cut: str) -> None:
    (tmp_path / "broker.json").write_text(cut)
    assert read_record(tmp_path) is None


def test_a_taken_port_is_reported_before_anything_is_started(
    tmp_path: Path, broker_cache: Path
) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        broker = EmbeddedBroker(tmp_path / "broker", port, cache=broker_cache)
        with pytest.raises(PortTaken, match=rf"port {port} is taken .*set BATON_BROKER_PORT"):
            broker.start()
        assert broker.record is None


def test_a_full_disk_is_reported_before_anything_is_started(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 5 << 20})
    monkeypatch.setattr(node_process.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BrokerFailed, match=r"only 5 MB are free .*BATON_HOME"):
        broker.start()
    assert broker.record is None


def test_a_broker_that_ends_while_it_starts_shows_the_end_of_its_log(
    stopped: EmbeddedBroker,
) -> None:
    meta = stopped.home / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(
        BrokerFailed, match=r"ended while it started; the end of .*kafka\.log:\n(.|\n)*node"
    ):
        stopped.start()
    assert stopped.running is None


def test_a_port_that_is_taken_while_it_starts_for_the_first_time_is_chosen_anew(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is a node started that was formatted and ended before it reported the controller of
    itself."""
    launch, taken = EmbeddedBroker._launch, [PortTaken("somebody has it")]

    def once_taken(
        embedded_broker: EmbeddedBroker, jars: Sequence[Path], ports: BrokerPorts
    ) -> str:
        if taken:
            raise taken.pop()
        return launch(embedded_broker, jars, ports)

    monkeypatch.setattr(EmbeddedBroker, "_launch", once_taken)
    assert answers(broker.start(), timeout_s=60)
    assert taken == []


def test_a_controller_whose_starter_was_killed_is_no_broker_and_goes_with_the_next_start(
    stopped: EmbeddedBroker, broker_cache: Path
) -> None:
    program = f"""
import os, signal
from pathlib import Path
from baton.local.broker import embedded
embedded.is_fenced = lambda log: os.kill(os.getpid(), signal.SIGKILL)
embedded.EmbeddedBroker(Path({str(stopped.home)!r}), cache=Path({str(broker_cache)!r}), heap_mb=512,
    ready_timeout_s={BROKER_READY_S}).start()
"""
    assert (
        subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    )
    left = running_process(stopped.home)
    assert left is not None
    assert left.fencing
    assert stopped.running is None
    assert answers(stopped.start(), timeout_s=60)
    assert not is_running(left.mark)

"""Three embedded nodes: what two have is acknowledged and kept while the third is gone."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from baton.cluster.log import LogReader
from baton.cluster.topic_layout import Layout, compare_topics, ensure_topics
from baton.contracts.topics import TOPICS, physical
from baton.local.broker.embedded_cluster import EmbeddedCluster
from baton.proof.chaos.node_network import may_have_network

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]
SPEC = TOPICS["leads.acts.v1"]
LAYOUT = Layout(namespace="three", partitions=3, replication=3)


@pytest.fixture
def cluster(tmp_path: Path, broker_cache: Path) -> Iterator[EmbeddedCluster]:
    made = EmbeddedCluster(tmp_path, 3, cache=broker_cache, heap_mb=320)
    yield made
    made.remove()


def test_what_is_acknowledged_outlives_a_node_and_the_node_comes_back(
    cluster: EmbeddedCluster,
) -> None:
    client = {"bootstrap.servers": cluster.start(), "log_level": 0}
    ensure_topics(client, LAYOUT, [SPEC])
    assert compare_topics(client, LAYOUT, [SPEC]) == ()
    producer = Producer({**client, "enable.idempotence": True})
    failed: list[object] = []

    def send(numbers: range) -> None:
        for number in numbers:
            producer.produce(
                physical("three", SPEC.name),
                b"%d" % number,
                b"k",
                number % 3,
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        assert producer.flush(60) == 0

    send(range(30))
    cluster.nodes[0].send(signal.SIGKILL)
    send(range(30, 60))
    cluster.restart(cluster.nodes[0])
    cluster.nodes[1].send(signal.SIGKILL)
    send(range(60, 90))
    assert failed == []
    with LogReader(client, "three") as reader:
        values = [int(record.value or b"-1") for record in reader.read({SPEC.name: [0, 1, 2]})]
    assert sorted(values) == list(range(90))
    assert len(AdminClient(client).list_topics(timeout=60).brokers) >= 2


@pytest.mark.skipif(not may_have_network(), reason="no network namespaces on this machine")
def test_a_node_that_is_cut_off_reaches_no_other_while_clients_reach_it() -> None:
    program = """
import socket, subprocess, sys
from baton.proof.chaos.node_network import Network, enter
enter([sys.executable, *sys.orig_argv[1:]])
network = Network(3)
served = [
    subprocess.Popen([*network.within(n)[1], sys.executable, "-m", "http.server", "80"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for n in (1, 2, 3)
]
ASK = "import socket, sys; socket.create_connection((sys.argv[1], 80), 1).close()"

def reaches(source, target):
    words = network.within(source)[1] if source else []
    for _ in range(1 if cut else 40):
        if not subprocess.run([*words, sys.executable, "-c", ASK, network.within(target)[0]],
                              capture_output=True).returncode:
            return True
    return False

cut = False
try:
    print([reaches(1, 2), reaches(3, 2), reaches(0, 2)])
    cut = True
    network.cut(2)
    print([reaches(1, 2), reaches(2, 3), reaches(1, 3), reaches(0, 2)])
    network.isolate(2)
    print([reaches(0, 2), reaches(0, 1)])
    cut = False
    network.heal(2)
    print([reaches(1, 2), reaches(2, 3), reaches(0, 2)])
finally:
    for each in served:
        each.kill()
    network.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "[True, True, True]",
        "[False, False, True, True]",
        "[False, True]",
        "[True, True, True]",
    ], done.stderr

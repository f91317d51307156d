"""The outbox on real Kafka: killed and started again, behind aborted transactions, each fact is one
delivery."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from baton.cluster.topics import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TOPICS, Audience, physical
from services.delivery.fact import Fact
from services.delivery.store.store import FILE, Store, reader
from services.delivery.targets.reading import read_targets
from tests.services.delivery.facts import routed

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

PARTITIONS, LEADS = 2, 1_500
TARGETS = """\
version: 1
webhooks:
  one:
    url: https://hooks.example/
    secret_env: [BATON_S]
    topics: [leads.routed.sales.v1]
  two:
    url: https://hooks.example/
    secret_env: [BATON_S]
    topics: [leads.routed.sales.v1]
    where: {level: [cold]}
"""
FOLLOWER = """
import sys
from pathlib import Path
from services.delivery.log.follower import Follower
from services.delivery.store.store import Store
from services.delivery.targets.reading import read_targets
folder = Path(sys.argv[3])
Follower({"bootstrap.servers": sys.argv[1], "log_level": 2}, sys.argv[2],
         lambda: Store(folder, sys.argv[2]), read_targets(folder / "targets.yaml")).run()
"""


def publish(bootstrap: str, namespace: str, facts: list[Fact]) -> None:
    """As the router does: in transactions, some of which are aborted and tried again."""
    options = {"bootstrap.servers": bootstrap, "transactional.id": f"{namespace}-test"}
    producer = Producer(options | {"log_level": 2})
    producer.init_transactions(30)
    for number, start in enumerate(range(0, len(facts), 100)):
        for aborted in (True, False) if number % 3 == 0 else (False,):
            producer.begin_transaction()
            for fact in facts[start : start + 100]:
                kind: Any = type(fact.value)
                producer.produce(
                    physical(namespace, fact.topic),
                    key=fact.key.encode(),
                    value=codec_for(kind).encode(fact.value),
                    partition=partition_of(fact.key.encode(), PARTITIONS),
                    headers=[("ce_id", fact.id.encode())],
                )
                producer.poll(0)
            if aborted:
                producer.flush(30)
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)


def planned(folder: Path) -> list[tuple[str, str, str]]:
    try:
        db = reader(folder / FILE)
        return list(db.execute("SELECT id, fact_id, target FROM delivery"))
    except Exception:
        return []


def test_killed_again_and_again_the_outbox_has_every_fact_once(
    bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), specs
    )
    (tmp_path / "targets.yaml").write_text(TARGETS)
    store = Store(tmp_path, namespace)
    store.register(read_targets(tmp_path / "targets.yaml"), 0)
    store.close()
    words = [sys.executable, "-c", FOLLOWER, bootstrap, namespace, str(tmp_path)]
    draw, deadline, kills = random.Random(4), time.monotonic() + 120, 0
    child = subprocess.Popen(words)
    facts = [routed(f"lead-{number}") for number in range(LEADS)]
    for start in range(0, LEADS, 500):
        publish(bootstrap, namespace, facts[start : start + 500])
        for _ in range(3):
            time.sleep(draw.random() * 0.6)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            kills += 1
            child = subprocess.Popen(words)
    while len(planned(tmp_path)) < LEADS:
        assert time.monotonic() < deadline, len(planned(tmp_path))
        time.sleep(0.2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    found = planned(tmp_path)
    assert kills == 9
    assert len(found) == len({name for name, _, _ in found}) == LEADS
    assert {fact for _, fact, _ in found} == {fact.id for fact in facts}
    assert {target for _, _, target in found} == {"one"}

"""The outbox on real Kafka: killed and started again, behind aborted transactions, each fact is one
delivery."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from standardwebhooks import Webhook

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.public_record import PublicRecord
from baton.contracts.topics import TOPICS, Audience, physical
from services.delivery.store.outbox_store import FILE, Store, reader
from services.delivery.targets.target_reading import read_targets
from tests.kafka.nursery import Forked, Nursery
from tests.services.delivery.facts import routed

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

PARTITIONS, LEADS = 2, 1_500
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
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


def publish(bootstrap: str, namespace: str, facts: list[PublicRecord]) -> None:
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
    nursery: Nursery, bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), specs
    )
    (tmp_path / "targets.yaml").write_text(TARGETS)
    store = Store(tmp_path, namespace)
    store.register(read_targets(tmp_path / "targets.yaml"), 0)
    store.close()

    def started() -> Forked:
        module = "tests.services.delivery.killed_follower"
        words = [bootstrap, namespace, str(tmp_path)]
        return nursery.start(module, words, os.environ, tmp_path / "follower.log")

    draw, deadline, kills = random.Random(4), time.monotonic() + 120, 0
    child = started()
    facts = [routed(f"lead-{number}") for number in range(LEADS)]
    for start in range(0, LEADS, 500):
        publish(bootstrap, namespace, facts[start : start + 500])
        for _ in range(3):
            time.sleep(draw.random() * 0.6)
            child.kill()
            kills += child.wait() == -signal.SIGKILL
            child = started()
    while len(planned(tmp_path)) < LEADS:
        assert time.monotonic() < deadline, len(planned(tmp_path))
        time.sleep(0.2)
    child.kill()
    child.wait()
    found = planned(tmp_path)
    assert kills == 9
    assert len(found) == len({name for name, _, _ in found}) == LEADS
    assert {fact for _, fact, _ in found} == {fact.id for fact in facts}
    assert {target for _, _, target in found} == {"one"}


class Flaky:
    """An endpoint that fails once for most ids, in every way, and counts what it took."""

    def __init__(self) -> None:
        self.took: dict[str, int] = {}
        self.seen: set[str] = set()
        self.leads: dict[str, set[str]] = {}
        self.lock = threading.Lock()

    def handler(flaky) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                Webhook(SECRET).verify(body, {k.lower(): v for k, v in self.headers.items()})
                name = self.headers["webhook-id"]
                with flaky.lock:
                    first = name not in flaky.seen
                    flaky.seen.add(name)
                way = int(name[-1], 16) % 5 if first else 4
                if way == 0:
                    self.connection.close()
                    return
                if way == 1:
                    time.sleep(5)  # longer than the target's timeout
                    return
                if way >= 3:
                    with flaky.lock:
                        flaky.took[name] = flaky.took.get(name, 0) + 1
                        lead = json.loads(body)["data"]["lead_id"]
                        flaky.leads.setdefault(name, set()).add(lead)
                self.send_response(500 if way == 2 else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _let_time_pass(folder: Path, namespace: str) -> None:
    """What waits for another attempt waits no longer: minutes by the schedule."""
    store = Store(folder, namespace)
    store.db.execute("UPDATE delivery SET next_at_ms = 0 WHERE state = 'waiting'")
    store.close()


@pytest.mark.timeout(600)
def test_the_whole_process_is_killed_while_its_target_fails_and_every_lead_arrives(
    nursery: Nursery, bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), specs
    )
    flaky = Flaky()
    server = ThreadingHTTPServer(("127.0.0.1", 0), flaky.handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    (tmp_path / "targets.yaml").write_text(
        "version: 1\nwebhooks:\n  tool:\n"
        f"    url: http://127.0.0.1:{port}/\n    ports: [{port}]\n    timeout_s: 3\n"
        "    allow_networks: [127.0.0.0/8]\n    secret_env: [BATON_SECRET_TOOL]\n"
        "    topics: [leads.routed.sales.v1]\n    parallel: 16\n    since: 2020-01-01T00:00:00Z\n"
    )
    environment = {
        **os.environ,
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_HOME": str(tmp_path / "home"),
        "BATON_METRICS_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_DELIVERY_FOLDER": str(tmp_path),
        "BATON_DELIVERY_TARGETS": str(tmp_path / "targets.yaml"),
        "BATON_SECRET_TOOL": SECRET,
    }

    def started() -> Forked:
        log = tmp_path / "delivery.log"
        return nursery.start("baton.cli.main", ["worker", "delivery"], environment, log)

    number, draw, deadline = 300, random.Random(7), time.monotonic() + 550
    publish(bootstrap, namespace, [routed(f"lead-{n}") for n in range(number)])
    child = started()
    for kill in range(5):
        before = len(flaky.seen)
        while len(flaky.seen) <= before and len(flaky.seen) < number:
            assert time.monotonic() < deadline, (kill, len(flaky.seen))
            time.sleep(0.05)
        time.sleep(draw.random() * 0.5)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child = started()
    while len(flaky.took) < number:
        assert time.monotonic() < deadline, (len(flaky.seen), len(flaky.took))
        time.sleep(1.0)
        _let_time_pass(tmp_path, namespace)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    server.shutdown()
    assert sorted(lead for leads in flaky.leads.values() for lead in leads) == sorted(
        f"lead-{n}" for n in range(number)
    ), "every lead has one id, and every id one lead"
    twice = sum(count > 1 for count in flaky.took.values())
    print(f"{number} leads, 5 kills: {twice} came again under their id")

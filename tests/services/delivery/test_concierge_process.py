"""The concierge's process: it answers from delivery's file, and its promises outlive a kill."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topic_names import LEADS_INBOX
from baton.contracts.topics import TOPICS, physical
from baton.local.broker.free_ports import free_port
from services.delivery.store.outbox_store import Store
from services.delivery.targets.target_reading import read_targets
from tests.services.delivery.facts import agreement

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

KEY, PAGE = "pk_0123456789abcdef", "https://www.firm.example"
FORM = {"email": "ann.berg@acme.example", "country": "DE"}
PATIENCE_S = 120


@contextmanager
def concierge(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "baton.cli.main", "worker", "concierge"]
    child = subprocess.Popen(words, env=dict(environment))
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def ask(port: int, call: str, **more: Any) -> dict[str, Any]:
    """Asks until it listens."""
    until = time.monotonic() + PATIENCE_S
    body = json.dumps({"key": KEY, "fields": FORM, **more})
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", f"/v1/concierge/{call}", body=body, headers={"Origin": PAGE})
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read())
        except OSError:
            assert time.monotonic() < until, "it does not listen"
            time.sleep(0.1)
        else:
            # as a page does: the first answer may find everything still to be read
            if found.get("token") == "" and time.monotonic() < until:
                continue
            assert answer.status == 200, found
            return found
        finally:
            connection.close()


def in_the_inbox(bootstrap: str, namespace: str) -> list[dict[str, Any]]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none"})
    topic, lines = physical(namespace, LEADS_INBOX), []
    for number in consumer.list_topics(topic, 30).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), 30)
        consumer.assign([TopicPartition(topic, number, low)])
        while low < high:
            message = consumer.poll(30)
            assert message is not None
            assert message.error() is None, message.error()
            lines.append(json.loads(message.value() or b""))
            low = message.offset() + 1  # type: ignore[operator]
    consumer.close()
    return lines


def test_a_promise_outlives_a_kill_and_the_same_claim_is_the_same_event(
    bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    layout = Layout(namespace=namespace, partitions=1)
    ensure_topics({"bootstrap.servers": bootstrap}, layout, [TOPICS[LEADS_INBOX]])
    file = tmp_path / "targets.yaml"
    file.write_text(
        f"version: 1\nconcierge:\n  key: {KEY}\n  origins: [{PAGE}]\n  per_minute: 600\n"
        "  signing_secret_env: BATON_SECRET_FORM\n"
    )
    store = Store(tmp_path, namespace)
    store.apply(agreement(), {}, read_targets(file), 0)
    store.close()
    port = free_port()
    environment = {
        **os.environ,
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_HOME": str(tmp_path / "home"),
        "BATON_METRICS_PORT": "0",
        "BATON_DELIVERY_CONCIERGE_PORT": str(port),
        "BATON_DELIVERY_FOLDER": str(tmp_path),
        "BATON_DELIVERY_TARGETS": str(file),
        "BATON_SECRET_FORM": "only-here",
    }
    with concierge(environment) as first:
        token = ask(port, "peek")["token"]
        promised = ask(port, "claim", token=token)
        words = [sys.executable, "-m", "baton.cli.main", "worker", "concierge"]
        second = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert (second.returncode, "another process works in" in second.stderr) == (1, True)
        first.send_signal(signal.SIGKILL)
        first.wait()
    with concierge(environment) as again:
        assert ask(port, "claim", token=token) == promised
        assert ask(port, "peek")["token"] != token
        again.send_signal(signal.SIGTERM)
        assert again.wait(60) == 0
    lines = in_the_inbox(bootstrap, namespace)
    assert promised["person"] is not None
    assert {line["id"] for line in lines} == {lines[0]["id"]}
    assert lines[0]["engagement"] == {"act": "demo_request"}

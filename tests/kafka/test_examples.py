"""The programs of the README, run as they are but for the namespace: what one publishes is taken
in, the other prints what was routed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from baton.cluster.log import LogReader
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import physical
from baton.intake.line_reading import read_line
from tests.services.router.router_world import qualified
from tests.services.scorer.scorer_world import routed

pytestmark = [pytest.mark.kafka]

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ("leads.inbox.v1", "leads.routed.sdr.v1", "leads.routed.sales.v1")


@pytest.fixture
def examples(tmp_path: Path, bootstrap: str, namespace: str) -> Path:
    """The programs beside the schemas, as in a checkout; on a shared cluster topics carry the
    namespace."""
    ensure_topics({"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=1))
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    folder = tmp_path / "examples"
    folder.mkdir()
    for program in ("publish.py", "subscribe.py"):
        text = (ROOT / "examples" / program).read_text()
        for topic in TOPICS:
            text = text.replace(f'"{topic}"', f'"{physical(namespace, topic)}"')
        (folder / program).write_text(text)
    return folder


def _run(program: Path, bootstrap: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BATON_BOOTSTRAP": bootstrap}
    words = [sys.executable, str(program), *arguments]
    return subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_publisher_publishes_an_event_that_is_taken(
    examples: Path, bootstrap: str, namespace: str
) -> None:
    done = _run(examples / "publish.py", bootstrap)
    assert (done.returncode, done.stderr) == (0, "")
    with LogReader({"bootstrap.servers": bootstrap}, namespace) as reader:
        (record,) = reader.read({"leads.inbox.v1": [0]})
    assert record.value is not None
    assert json.loads(record.value)["id"] == "signup-4711"
    assert read_line(record.value) is not None


def test_the_subscriber_prints_what_was_routed(
    examples: Path, bootstrap: str, namespace: str
) -> None:
    reported = routed(qualified("l1", level="warm"), "ann")
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(
        physical(namespace, "leads.routed.sdr.v1"), codec_for(LeadRouted).encode(reported), b"l1"
    )
    assert producer.flush(30) == 0
    done = _run(examples / "subscribe.py", bootstrap, "1")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "ann gets lead l1 (warm) in pool\n",
        "",
    )

"""The projection and the board on real Kafka: killed and restarted, behind open and aborted
transactions, past retention, and end to end."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.public_record import PublicRecord
from baton.contracts.topics import TOPICS, Audience, physical
from baton.local.up.preparing import prepare_cluster
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.settings import load_settings
from services.insights.board.access import new_link
from services.insights.facts.folds import DEAD_LETTERS
from services.insights.facts.tables import TABLES
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import reader
from services.insights.projection.projector import Projector, ProjectorState
from tests.kafka.nursery import Nursery

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

Company = tuple[tuple[PublicRecord, ...], int]
PARTITIONS = 2
PATIENCE_S = 90.0
DEMO = Path(__file__).resolve().parents[3] / "examples" / "agreements" / "demo.yaml"


def content(path: Path) -> dict[str, Counter[tuple[Any, ...]]]:
    db = reader(path)
    return {name: Counter(db.execute(f"SELECT * FROM {name}")) for name in TABLES}


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)
    return found


@pytest.fixture
def topics(bootstrap: str, namespace: str) -> str:
    """The public topics of a namespace."""
    specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), specs
    )
    return namespace


def publish(bootstrap: str, namespace: str, records: list[PublicRecord]) -> None:
    """As the services do: in transactions, some of which are aborted and tried again."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": f"{namespace}-test", "log_level": 2}
    )
    producer.init_transactions(30)
    for number, start in enumerate(range(0, len(records), 100)):
        for aborted in (True, False) if number % 3 == 0 else (False,):
            producer.begin_transaction()
            for taken in records[start : start + 100]:
                _produce(producer, namespace, taken)
            if aborted:
                producer.flush(30)
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)


def _produce(producer: Producer, namespace: str, taken: PublicRecord) -> None:
    key = taken.key.encode()
    spec = TOPICS[taken.topic]
    kind: Any = type(taken.value)
    producer.produce(
        physical(namespace, taken.topic),
        key=key,
        value=codec_for(kind).encode(taken.value),
        partition=partition_of(key, spec.partitions or PARTITIONS),
        headers=[("ce_id", taken.id.encode())],
    )
    producer.poll(0)


def run_until_live(bootstrap: str, namespace: str, folder: Path) -> Path:
    """A projector in this process until it has everything; gives its file."""
    files = BoardFiles(folder)
    projector = Projector({"bootstrap.servers": bootstrap, "log_level": 2}, namespace, files)
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        until(
            lambda: projector.standing.state is ProjectorState.LIVE,
            f"live, but {projector.standing}",
        )
    finally:
        projector.end()
        thread.join(30)
    found = files.current()
    assert found is not None
    return found


def end_of(folder: Path) -> int:
    """How many records the file in the making or in use has taken."""
    paths = sorted(folder.glob("board-*.sqlite"))
    try:
        return (
            int(
                reader(paths[-1])
                .execute("SELECT coalesce(sum(records), 0) FROM position")
                .fetchall()[0][0]
            )
            if paths
            else 0
        )
    except Exception:
        return 0


def test_killed_again_and_again_it_has_every_record_once_and_the_sums_of_one_that_never_was(
    nursery: Nursery, bootstrap: str, topics: str, company: Company, tmp_path: Path
) -> None:
    records = [taken for taken in company[0] if taken.topic != DEAD_LETTERS]
    half = len(records) // 2
    publish(bootstrap, topics, records[:half])
    chance, killed, folder = random.Random(5), 0, tmp_path / "killed"
    module = "tests.services.insights.killed_projector"
    writing = threading.Thread(target=publish, args=(bootstrap, topics, records[half:]))
    writing.start()
    while writing.is_alive() or killed < 8:
        words = [bootstrap, topics, str(folder)]
        child = nursery.start(module, words, os.environ, tmp_path / "projector.log")
        time.sleep(chance.uniform(0.2, 1.5))
        child.kill()
        assert child.wait() == -signal.SIGKILL
        killed += 1
    writing.join()
    last = run_until_live(bootstrap, topics, folder)
    whole = run_until_live(bootstrap, topics, tmp_path / "whole")
    assert content(last) == content(whole)
    assert end_of(folder) == end_of(tmp_path / "whole") == len(records)
    counts = {name: len(rows) for name, rows in content(last).items()}
    assert counts["touch"] == len(
        {taken.id for taken in records if getattr(taken.value, "engagement", None)}
    )
    assert counts["act"] == sum(taken.topic == "leads.acts.v1" for taken in records)


def test_past_its_retention_it_stops_with_words_and_a_rebuild_says_since_when_it_is_complete(
    bootstrap: str, topics: str, company: Company, tmp_path: Path
) -> None:
    records = [taken for taken in company[0] if taken.topic != DEAD_LETTERS]
    publish(bootstrap, topics, records[:300])
    folder = tmp_path / "board"
    before = content(run_until_live(bootstrap, topics, folder))
    publish(bootstrap, topics, records[300:900])
    name = physical(topics, "leads.accepted.v1")
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for number in range(PARTITIONS):
        # As retention does it: everything up to the end goes.
        place = TopicPartition(name, number, -1)
        for future in admin.delete_records([place]).values():
            future.result(30)
    files = BoardFiles(folder)
    projector = Projector({"bootstrap.servers": bootstrap, "log_level": 2}, topics, files)
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        until(lambda: projector.standing.state is ProjectorState.STOPPED, "stopped")
        assert re.search(
            r"leads\.accepted\.v1\[\d\].*past its retention.*records are missing.*baton board rebuild",
            projector.standing.words,
        )
        stopped = files.current()
        assert stopped is not None
        assert content(stopped) == before, "it went on, or threw away what it had"
        files.want_rebuild()
        until(
            lambda: projector.standing.state is ProjectorState.LIVE and files.current() != stopped,
            "rebuilt",
        )
    finally:
        projector.end()
        thread.join(30)
    rebuilt = files.current()
    assert rebuilt is not None
    began = (
        reader(rebuilt)
        .execute(
            "SELECT count(*) FROM position WHERE topic = 'leads.accepted.v1' AND began_offset > 0"
        )
        .fetchall()
    )
    assert began == [(PARTITIONS,)]
    assert not files.rebuild_wanted
    assert not stopped.exists()


# ------------------------------------------------------------------ end to end


@pytest.fixture
def system(
    nursery: Nursery,
    bootstrap: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[System]:
    """A whole Baton with its board, ready."""
    given = {
        "BATON_BOOTSTRAP": bootstrap,
        "BATON_NAMESPACE": namespace,
        "BATON_HOME": str(tmp_path / "home"),
        "BATON_PARTITIONS": str(PARTITIONS),
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_AGREEMENT": str(DEMO),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    found = System(
        load_settings(),
        prepare=lambda reached: prepare_cluster(reached, lambda _: None),
        commands=service_commands,
        say=lambda _: None,
        spawn=nursery.popen,
    )
    with found.running():
        yield found
    load_settings.cache_clear()


def send(bootstrap: str, namespace: str, *lines: Mapping[str, Any]) -> None:
    import json

    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for line in lines:
        producer.produce(physical(namespace, "leads.inbox.v1"), json.dumps(line).encode())
    assert producer.flush(30) == 0


def demo_request(number: int) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {
        "id": f"d-{number}",
        "source": "website",
        "kind": "engagement",
        "occurred_at": datetime.now(UTC).isoformat(),
        "identifiers": {"email": f"ann{number}@northgate.example"},
        "engagement": {"act": "demo_request", "campaign": "fair"},
        "profile": {
            "country": "DE",
            "employees": "400",
            "role": "Head of IT",
            "industry": "logistics",
        },
        "person": {"first_name": "Ann", "last_name": "Berg"},
    }


def test_a_lead_comes_to_the_page_and_an_act_from_the_page_goes_all_the_way_and_back(
    system: System, bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    (address,) = (
        process.addresses["board"]
        for process in system.run.processes
        if "board" in process.addresses
    )
    folder = tmp_path / "home" / "board" / namespace
    send(bootstrap, namespace, demo_request(1))
    sent_at = time.monotonic()

    def held() -> tuple[str, str] | None:
        path = BoardFiles(folder).current()
        rows = (
            path
            and reader(path)
            .execute("SELECT lead_id, holder FROM lead WHERE holder_kind = 'person'")
            .fetchall()
        )
        return rows[0] if rows else None

    lead, holder = until(held, "the lead was never on the board")
    print(f"from the inbox to the board: {time.monotonic() - sent_at:.1f} s")
    with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as visitor:
        assert visitor.get("/enter", params={"token": new_link(folder, holder)}).status_code == 200
        page = visitor.get(f"/leads/{lead}").text
        assert "Ann Berg" in page
        form = dict(
            re.findall(
                r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split('class="acts"')[1]
            )
        )
        origin = {"origin": address, "sec-fetch-site": "same-origin"}
        answers = [
            visitor.post(f"/leads/{lead}/acts", data=form | {"do": "accepted"}, headers=origin)
            for _ in range(2)
        ]
        assert {answer.status_code for answer in answers} <= {200, 422}
        where = str(answers[0].url)
        until(
            lambda: "Done: the lead is now at stage sal" in visitor.get(where).text,
            "the acceptance was never answered",
        )
    path = BoardFiles(folder).current()
    assert path is not None
    acts = (
        reader(path)
        .execute("SELECT kind, by_person, source FROM act WHERE lead_id = ?", (lead,))
        .fetchall()
    )
    assert acts == [("accepted", holder, "board")], "a doubled click is one act"

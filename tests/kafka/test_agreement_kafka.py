"""Signing, publishing and looking at agreements on a real cluster."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.publish import (
    KafkaAgreementTopic,
    NotPublished,
    Outcome,
    book_of,
    publish_agreement,
)
from baton.agreement.reference import SETTLE_MS, SINCE_EVER
from baton.agreement.source.read import AgreementRefused, read_agreement
from baton.cli.main import build
from baton.cluster.log import LogReader
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE
from baton.contracts.topics import TOPICS, changelog_topic
from baton.engine.reducer import Event
from baton.settings import Settings, load_settings

DEMO = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml"
YAML = DEMO.read_text(encoding="utf-8")
V1 = version_of(canonical_text(read_agreement(DEMO)))

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(bootstrap: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("BATON_BOOTSTRAP", bootstrap)
    monkeypatch.setenv("BATON_NAMESPACE", namespace)
    load_settings.cache_clear()
    ensure_topics(
        {"bootstrap.servers": bootstrap},
        Layout(namespace=namespace, partitions=1),
        [
            TOPICS[name]
            for name in (
                BATON_AGREEMENTS,
                BATON_PEOPLE,
                changelog_topic("lead"),
                changelog_topic("assignment"),
            )
        ],
    )
    yield load_settings()
    load_settings.cache_clear()


@pytest.fixture
def run(settings: Settings) -> Callable[..., Result]:
    def runner(*arguments: str) -> Result:
        words = [*(() if arguments[0] == "people" else ("agreement",)), *arguments]
        return CliRunner().invoke(build(), words)

    return runner


def test_an_agreement_goes_from_signatures_to_being_in_force(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    refused = run("publish", str(DEMO))
    assert isinstance(refused.exception, NotPublished)
    assert "is not signed by marketing and sales yet" in str(refused.exception)
    assert (
        run("approve", str(DEMO), "--as", "marketing", "--by", "mona").stdout
        == f"version {V1} is signed for marketing by mona\n"
    )
    assert (
        run("approve", str(DEMO), "--as", "marketing", "--by", "max").stdout
        == f"version {V1} was signed for marketing already\n"
    )
    alone = run("approve", str(DEMO), "--as", "sales", "--by", "Mona")
    assert "one person signs one side" in str(alone.exception)
    run("approve", str(DEMO), "--as", "sales", "--by", "sam")
    assert (
        run("publish", str(DEMO)).stdout
        == f"version {V1} is published: in force since ever (it was the first)\n"
    )
    assert (
        run("publish", str(DEMO)).stdout
        == f"version {V1} was published already: in force since ever (it was the first)\n"
    )

    other = tmp_path / "new.yaml"
    other.write_text(
        YAML.replace("demo_request: {points: 40,", "demo_request: {points: 45,"), encoding="utf-8"
    )
    assert (
        run("diff", str(other)).stdout
        == "engagement\n  act demo_request: 40 -> 45 points\n1 changed\n"
    )
    assert "0 leads; version" in run("impact", str(other)).stdout
    ends = json.loads(run("impact", str(other), "--json").stdout)["ends"]
    assert ends == {"pools": [], "goals": [], "promises": []}
    found = json.loads(run("history", "--json").stdout)
    assert [(row["kind"], row["side"], row["by"]) for row in found["records"]] == [
        ("approved", "marketing", "mona"),
        ("approved", "sales", "sam"),
        ("published", None, None),
    ]
    assert all(bool(row["account"]) is (row["kind"] == "approved") for row in found["records"])
    assert found["in_force"] == [{"version": V1, "from_ms": SINCE_EVER}]
    assert json.loads(run("show", "--json").stdout)["name"] == "Tern Software, demonstration"
    assert f"version {V1} is in force since ever (it was the first)" in run("history").stdout


def test_a_first_start_puts_an_agreement_in_force_once(settings: Settings) -> None:
    first = asyncio.run(publish_agreement(settings, YAML))
    assert first == Outcome(version=V1, changed=True, from_ms=SINCE_EVER)
    again = asyncio.run(publish_agreement(settings, YAML.replace("points: 40,", "points: 45,")))
    assert again == Outcome(version=V1, changed=False, from_ms=SINCE_EVER), "what is in force stays"
    assert len(KafkaAgreementTopic(settings).read()) == 3


def test_an_agreement_is_replaced_when_it_is_asked_for(settings: Settings) -> None:
    asyncio.run(publish_agreement(settings, YAML))
    outcome = asyncio.run(
        publish_agreement(settings, YAML.replace("points: 40,", "points: 45,"), replace=True)
    )
    written = KafkaAgreementTopic(settings).read()
    assert (outcome.changed, outcome.from_ms) == (True, written[-1].at_ms + SETTLE_MS)
    assert book_of(written).at(written[-1].at_ms + SETTLE_MS).version == outcome.version  # type: ignore[union-attr]


def test_what_is_wrong_is_never_published(settings: Settings) -> None:
    with pytest.raises(AgreementRefused, match=r"demo.yaml:\d+: profile field"):
        asyncio.run(
            publish_agreement(
                settings, YAML.replace("role_field: role", "role_field: rolle"), file="demo.yaml"
            )
        )
    assert list(KafkaAgreementTopic(settings).read()) == []


def test_a_record_says_what_it_is_in_its_headers(settings: Settings) -> None:
    asyncio.run(publish_agreement(settings, YAML))
    with LogReader({"bootstrap.servers": settings.bootstrap}, settings.namespace) as reader:
        record = list(reader.read({BATON_AGREEMENTS: [0]}))[-1]
    assert [
        record.header(name)
        for name in ("ce_source", "ce_type", "ce_specversion", "baton_agreement")
    ] == [
        "/baton/agreement",
        "baton.AgreementRecord.v1",
        "1.0",
        V1,
    ]
    assert record.key is not None
    assert record.header("ce_id") == record.key.decode()


def test_an_absence_is_reported_and_taken_back(
    run: Callable[..., Result], settings: Settings
) -> None:
    asyncio.run(publish_agreement(settings, YAML))
    asked = ("people", "away", "sdr-anna", "--from", "2026-12-21", "--until", "2027-01-04")
    assert (
        run(*asked).stdout
        == "sdr-anna is away from 2026-12-21 00:00:00.000 until 2027-01-04 00:00:00.000 UTC\n"
    )
    assert run(*asked, "--cancel").stdout.startswith("sdr-anna is not away from")
    assert "is not after" in str(
        run("people", "away", "sdr-anna", "--from", "2027-01-04", "--until", "2026-12-21").exception
    )
    assert 'did you mean "sdr-anna"' in str(
        run("people", "away", "sdr-ana", "--from", "2026-12-21", "--until", "2027-01-04").exception
    )
    with LogReader({"bootstrap.servers": settings.bootstrap}, settings.namespace) as reader:
        reported = list(reader.read({BATON_PEOPLE: [0]}))
    book = book_of(KafkaAgreementTopic(settings).read())
    christmas = 1_798_156_800_000
    seen = []
    for offset, record in enumerate(reported):
        assert record.value is not None
        value = codec_for(PeopleRecord).decode(record.value)
        book.add(_event(value, offset, record.at_ms))
        reference = book.at(record.at_ms + SETTLE_MS)
        assert reference is not None
        seen.append(reference.absent("sdr-anna", christmas))
    assert seen == [True, False]


def _event(value: PeopleRecord, offset: int, at_ms: int) -> Event:
    return Event(
        topic=BATON_PEOPLE,
        partition=0,
        offset=offset,
        key=value.record_id,
        value=value,
        id=value.record_id,
        at_ms=at_ms,
        received_at_ms=at_ms,
    )

"""The commands that look at the log, on a real one: topics, tail, explain, dlq."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from baton.cli.main import build
from baton.cluster.log import LogReader, Record
from baton.cluster.topic_layout import (
    Difference,
    Layout,
    TopicsDiffer,
    compare_topics,
    ensure_topics,
)
from baton.contracts.codec import codec_for
from baton.contracts.intake import (
    Engagement,
    IdentityAlias,
    LeadEvent,
    LeadMerge,
    LeadPerson,
    Person,
)
from baton.contracts.leads import LeadStaged
from baton.contracts.partitioner import partition_of
from baton.contracts.slas import LeadOrphan
from baton.contracts.topics import TOPICS, dead_letter_topic, physical
from baton.derived_ids import derived_id
from baton.lead_story.stories import identity_of_email
from baton.settings import load_settings
from tests.streams import move_of

PARTITIONS = 2
OF_THE_FLOW = ("leads.", "intake.", "dlq.", "baton.", "scorer.", "router.", "sla.")
NEEDED = [TOPICS[name] for name in TOPICS if name.startswith(OF_THE_FLOW)]


@pytest.fixture
def run(
    bootstrap: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    monkeypatch.setenv("BATON_BOOTSTRAP", bootstrap)
    monkeypatch.setenv("BATON_NAMESPACE", namespace)
    monkeypatch.setenv("BATON_PARTITIONS", str(PARTITIONS))
    load_settings.cache_clear()
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), NEEDED
    )

    def runner(*arguments: str) -> Result:
        return CliRunner().invoke(build(), list(arguments))

    yield runner
    load_settings.cache_clear()


def _put(bootstrap: str, namespace: str, records: Sequence[tuple[str, str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for topic, key, value in records:
        encoded = value if isinstance(value, bytes) else codec_for(type(value)).encode(value)
        partition = partition_of(key.encode(), PARTITIONS)
        headers = [("baton_agreement", b"a" * 32), ("ce_id", b"fact"), ("baton_cause", b"cause")]
        producer.produce(
            physical(namespace, topic), encoded, key.encode(), partition, headers=headers
        )
        assert producer.flush(30) == 0


def _engaged(lead_id: str, act: str) -> LeadEvent:
    return LeadEvent(
        event_id=f"{lead_id}-{act}",
        lead_id=lead_id,
        source="web",
        kind="engagement",
        occurred_at_ms=1,
        received_at_ms=2,
        engagement=Engagement(act=act),
    )


def _staged(lead_id: str) -> LeadStaged:
    return move_of(lead_id, "qualified", before="inquiry", after="mql", actor="system")


def test_a_lead_is_explained_by_its_address_through_link_and_merge(
    run: Callable[..., Result], bootstrap: str, namespace: str
) -> None:
    address = "Ada@Example.com"
    linked, survivor = "1" * 32, "2" * 32
    alias = IdentityAlias(
        identity=identity_of_email(address),
        lead_id=linked,
        kind="resolved",
        known=True,
        cause_id="c",
        from_identity="f",
        occurred_at_ms=1,
    )
    merge = LeadMerge(merge_id="m", loser=linked, survivor=survivor, cause_id="c", occurred_at_ms=2)
    person = LeadPerson(
        lead_id=survivor, event_id="p", occurred_at_ms=1, person=Person(email="ada@example.com")
    )
    _put(
        bootstrap,
        namespace,
        [
            ("intake.aliases.v1", identity_of_email(address), alias),
            ("leads.accepted.v1", linked, _engaged(linked, "page_view")),
            ("leads.accepted.v1", "3" * 32, _engaged("3" * 32, "not_mine")),
            ("leads.merges.v1", linked, merge),
            ("leads.merges.v1", survivor, merge),
            ("leads.persons.v1", survivor, person),
            ("leads.stages.v1", survivor, _staged(survivor)),
        ],
    )

    reported = run("explain", address, "--json")

    lines = [json.loads(line) for line in reported.stdout.splitlines()]
    assert [(line["topic"], line["about"], line["lead_id"]) for line in lines] == [
        ("leads.accepted.v1", "engaged", linked),
        ("leads.merges.v1", "merged", survivor),
        ("leads.persons.v1", "person", survivor),
        ("leads.stages.v1", "stage", survivor),
    ]
    assert lines[0]["agreement"] == "a" * 32
    assert "ada" not in reported.stdout.lower()
    assert "ada@example.com" in run("explain", survivor, "--json", "--person").stdout
    for_people = run("explain", linked).stdout
    assert "inquiry -> mql: qualified by the system" in for_people
    assert "not_mine" not in for_people


def test_the_leads_that_nobody_holds_are_listed_with_their_cause_and_those_that_were_are_not(
    run: Callable[..., Result], bootstrap: str, namespace: str
) -> None:
    none = run("orphans")
    assert (none.exit_code, none.stdout) == (0, "every lead has a holder and a next date\n")
    lost = LeadOrphan(
        lead_id="1" * 32,
        kind="found",
        cause="qualified_and_not_routed",
        since_ms=1_795_327_862_000,
        at_ms=1_795_328_461_000,
        cause_id="c",
        agreement="v",
        stage="mql",
        cycle=1,
    )
    earlier = replace(
        lost, lead_id="2" * 32, cause="rejected_and_nothing_decided", since_ms=lost.since_ms - 1_000
    )
    found_again = replace(lost, lead_id="3" * 32)
    records = [lost, earlier, found_again, replace(found_again, kind="held", holder="person ann")]
    _put(bootstrap, namespace, [("leads.orphans.v1", record.lead_id, record) for record in records])

    reported = run("orphans", "--json")

    assert reported.exit_code == 1
    assert [json.loads(line)["lead_id"] for line in reported.stdout.splitlines()] == [
        earlier.lead_id,
        lost.lead_id,
    ]
    assert (
        f"{earlier.lead_id}  since 2026-11-22 06:11:01.000  cycle 1, at mql: rejected and nothing "
        "decided" in run("orphans").stdout
    )
    assert "nobody holds it: qualified and not routed" in run("explain", lost.lead_id).stdout
    assert "held again: person ann" in run("explain", found_again.lead_id).stdout


def test_a_lead_that_nobody_knows_is_said_so(run: Callable[..., Result]) -> None:
    failed = run("explain", "f" * 32)
    assert failed.exit_code == 1
    assert "nothing in the log belongs to ffffffffffff" in str(failed.exception)


def test_tail_decodes_and_can_stop(
    run: Callable[..., Result], bootstrap: str, namespace: str
) -> None:
    lead = derived_id("lead", "x")
    _put(
        bootstrap,
        namespace,
        [("leads.stages.v1", lead, _staged(lead)), ("leads.stages.v1", "other", _staged("other"))],
    )
    lines = run(
        "tail", "leads.stages.v1", "--from-beginning", "--no-follow", "--key", lead
    ).stdout.splitlines()
    assert [
        (found["record"], found["value"]["to_stage"], found["key"])
        for found in map(json.loads, lines)
    ] == [("LeadStaged", "mql", lead)]
    assert (
        len(run("tail", "leads.stages.v1", "--from-beginning", "-n", "1").stdout.splitlines()) == 1
    )


def test_a_topic_that_is_not_there_is_named(run: Callable[..., Result]) -> None:
    failed = run("tail", "leads.nothing.v1", "--no-follow")
    assert failed.exit_code == 1
    assert "leads.nothing.v1 does not exist on this cluster" in str(failed.exception)


def _dead(bootstrap: str, namespace: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for code, value in (("malformed", b"{"), ("too_long", b"\xff\xfe")):
        headers = [
            ("ce_source", b"crm"),
            ("__dlq.errors.code", code.encode()),
            ("__dlq.errors.message", b"say why"),
        ]
        producer.produce(
            physical(namespace, dead_letter_topic("leads.inbox.v1")),
            value,
            b"k",
            0,
            headers=headers,
        )
    assert producer.flush(30) == 0


def _inbox(bootstrap: str, namespace: str) -> list[Record]:
    with LogReader({"bootstrap.servers": bootstrap}, namespace) as reader:
        return list(reader.read({"leads.inbox.v1": list(range(PARTITIONS))}))


def test_dead_letters_are_listed_shown_and_replayed_as_they_were(
    run: Callable[..., Result], bootstrap: str, namespace: str
) -> None:
    _dead(bootstrap, namespace)

    listed = [json.loads(line) for line in run("dlq", "list", "--json").stdout.splitlines()]
    assert [(row["place"], row["code"], row["reason"]) for row in listed] == [
        ("dlq.leads.inbox.v1/0/0", "malformed", "say why"),
        ("dlq.leads.inbox.v1/0/1", "too_long", "say why"),
    ]
    # in one piece, for it is copied into the next command
    assert "dlq.leads.inbox.v1/0/1 " in run("dlq", "list").stdout
    assert json.loads(run("dlq", "show", "dlq.leads.inbox.v1/0/1").stdout)["value"] == "base64://4="
    assert run("dlq", "show", "dlq.leads.inbox.v1/0/9").exit_code == 2

    assert run("dlq", "replay", "--code", "malformed", "--dry-run").stdout.startswith(
        "1 dead letter would be sent"
    )
    assert _inbox(bootstrap, namespace) == []
    assert run("dlq", "replay", "--code", "malformed").exit_code == 0
    (replayed,) = _inbox(bootstrap, namespace)
    assert (replayed.key, replayed.value, replayed.headers) == (
        b"k",
        b"{",
        (("ce_source", b"crm"), ("baton_replayed_from", b"dlq.leads.inbox.v1/0/0")),
    )


def test_the_cluster_is_compared_with_the_catalogue(bootstrap: str, namespace: str) -> None:
    client, layout = (
        {"bootstrap.servers": bootstrap},
        Layout(namespace=namespace, partitions=PARTITIONS),
    )
    spec, other = TOPICS["leads.stages.v1"], TOPICS["leads.persons.v1"]
    assert ensure_topics(client, layout, [spec]) == (spec.name,)
    assert ensure_topics(client, layout, [spec]) == ()
    assert compare_topics(client, layout, [spec]) == ()

    name = physical(namespace, spec.name)
    assert compare_topics(client, layout, [spec, other]) == (
        Difference(
            topic=physical(namespace, other.name), what="topic", expected="there", found="missing"
        ),
    )
    assert compare_topics(client, Layout(namespace=namespace, partitions=3), [spec]) == (
        Difference(topic=name, what="number of partitions", expected="3", found="2"),
    )
    kept_otherwise = TOPICS["leads.qualified.v1"]
    assert compare_topics(client, layout, [_renamed(kept_otherwise, spec.name)]) == (
        Difference(
            topic=name,
            what="retention.ms",
            expected=str(kept_otherwise.retention_ms),
            found=str(spec.retention_ms),
        ),
    )
    with pytest.raises(TopicsDiffer, match=r"number of partitions is 2, expected 3"):
        ensure_topics(client, Layout(namespace=namespace, partitions=3), [spec])


def _renamed(spec: Any, name: str) -> Any:
    return replace(spec, name=name)

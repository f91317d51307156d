"""The chaos run: its plan, its witness, and a small one with a fixed seed that must end sound."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from baton.broker.topics import Layout, ensure_topics
from baton.chaos.load import event_id_of
from baton.chaos.plan import Fault, plan
from baton.chaos.run import ChaosRun
from baton.chaos.witness import Witness
from baton.contracts.topics import TOPICS, physical
from baton.ids import derived_id
from tests.kafka.conftest import DEMO_AGREEMENT


def test_a_seed_is_a_plan_in_order_with_an_agreement_in_the_middle() -> None:
    blows = plan(kills=40, seed=3)
    assert blows == plan(kills=40, seed=3) != plan(kills=40, seed=4)
    assert [blow.at for blow in blows] == sorted(blow.at for blow in blows)
    assert all(0 <= blow.at <= 1 for blow in blows)
    assert len(blows) == 41
    assert {blow.fault for blow in blows} == set(Fault)


def test_few_faults_are_what_they_are() -> None:
    assert len(plan(kills=2, seed=1)) == 3


def test_the_ledger_has_the_ids_that_intake_gives() -> None:
    line = (
        b'{"kind": "engagement", "id": "7", "source": "demo", "occurred_at": "2026-11-22T09:00:00Z",'
        b' "identifiers": {"anonymous": "v"}, "engagement": {"act": "page_view"}}'
    )
    assert event_id_of(line) == derived_id("event", "demo", "7")
    with pytest.raises(ValueError, match="cannot be taken"):
        event_id_of(b'{"kind": "gossip", "source": "demo"}')


def test_the_witness_sees_when_what_was_read_has_changed(bootstrap: str, namespace: str) -> None:
    client = {"bootstrap.servers": bootstrap}
    spec = TOPICS["leads.acts.v1"]
    ensure_topics(client, Layout(namespace=namespace, partitions=1), [spec])
    producer = Producer(client)
    for number in range(3):
        producer.produce(physical(namespace, spec.name), b"%d" % number, b"k", 0)
    assert producer.flush(30) == 0
    witness = Witness(client, namespace, [spec.name])
    witness.start()
    while witness.seen < 3:
        assert witness.fault is None
    witness.stop()
    assert witness.disagreements() == []
    producer.produce(physical(namespace, spec.name), b"later", b"k", 0)
    assert producer.flush(30) == 0
    assert witness.disagreements() == [], "what came later is no disagreement"
    witness._hashes[spec.name, 0].update(b"something else was read first")
    assert witness.disagreements() == [f"{spec.name}/0: the first 3 offsets read otherwise at the end"]


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_small_run_ends_sound(tmp_path: Path, broker_cache: Path) -> None:
    outcome = ChaosRun(
        tmp_path, cache=broker_cache, agreement=DEMO_AGREEMENT, kills=6, events=250, seconds=30, seed=5, workers=1, say=print
    ).run()
    assert outcome.wrong == []
    assert outcome.unacknowledged == 0
    assert sum(outcome.faults.values()) == 7
    assert outcome.worker_starts > 4
    assert outcome.witnessed > 1_000
    assert outcome.report.checked["leads.routed.sdr.v1"] > 5

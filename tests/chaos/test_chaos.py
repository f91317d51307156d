"""The chaos run: its plan, its witness, and a small one with a fixed seed that must end sound."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import KafkaException, Producer

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topics import TOPICS, physical
from baton.derived_ids import derived_id
from baton.proof.chaos.chaos_run import ChaosRun
from baton.proof.chaos.crew import Spawn
from baton.proof.chaos.headway import Headway, NotDrained
from baton.proof.chaos.load import event_id_of
from baton.proof.chaos.machine_time import MachineTime
from baton.proof.chaos.options import options_of
from baton.proof.chaos.order import Order, Outcome
from baton.proof.chaos.pace import QUICK, Pace
from baton.proof.chaos.plan import Fault, plan
from baton.proof.chaos.pressure import HIGH, LOW, Pressure
from baton.proof.chaos.recovery import Recovery
from baton.proof.chaos.script import waves
from baton.proof.chaos.script_clock import ScriptClock
from baton.proof.chaos.witness import Witness
from tests.kafka.conftest import DEMO_AGREEMENT
from tests.kafka.nursery import Nursery

ROOT = Path(__file__).resolve().parents[2]
ONE_BROKER = set(Fault) - {Fault.PARTITION, Fault.UPGRADE, Fault.BACKUP}
SMALL_KILLS, SMALL_SEED = 4, 282


def test_a_seed_is_a_plan_in_order_with_an_agreement_in_the_middle() -> None:
    blows = plan(kills=40, seed=3)
    assert blows == plan(kills=40, seed=3) != plan(kills=40, seed=4)
    assert [blow.at for blow in blows] == sorted(blow.at for blow in blows)
    assert all(0 <= blow.at <= 1 for blow in blows)
    assert len(blows) == 41
    assert {blow.fault for blow in blows} == ONE_BROKER


def test_several_brokers_are_parted_and_a_drill_has_its_moment() -> None:
    blows = plan(kills=40, seed=3, brokers=3, upgrade=True)
    assert {blow.fault for blow in blows} == {*ONE_BROKER, Fault.PARTITION, Fault.UPGRADE}
    assert [blow.at for blow in plan(kills=3, seed=3, backup=True)][-2:] == pytest.approx(
        sorted([0.7, plan(kills=3, seed=3)[-1].at])
    )


def test_the_words_of_a_run_are_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    order = options_of(["--kills", "9", "--brokers", "3"]).order
    assert (order.kills, order.brokers, order.seconds, order.former) == (9, 3, 90, None)
    for words, said in (
        (["--kills", "0"], "expected a whole number from 1 on"),
        (["--former", str(tmp_path)], "has no baton/cli/main.py"),
        (["--backup", "--brokers", "3"], "--backup is of one broker"),
    ):
        with pytest.raises(SystemExit):
            options_of(words)
        assert said in capsys.readouterr().err


def test_few_faults_are_what_they_are() -> None:
    assert len(plan(kills=2, seed=1)) == 3


def test_the_ledger_has_the_ids_that_intake_gives() -> None:
    line = (
        b'{"kind": "engagement", "id": "7", "source": "demo", "occurred_at": '
        b'"2026-11-22T09:00:00Z",'
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
    assert witness.disagreements() == [
        f"{spec.name}/0: the first 3 offsets read otherwise at the end"
    ]


def test_a_script_of_any_length_comes_in_waves() -> None:
    made = list(waves(events=10_000, span_ms=600_000, seed=2, begins_ms=1_790_000_000_000))
    assert [wave.starts_ms for wave in made] == sorted(wave.starts_ms for wave in made)
    assert (made[0].starts_ms, made[-1].starts_ms) == (0, 570_000)
    lines = [arrival for wave in made for arrival in wave.arrivals]
    assert 9_000 < len(lines) <= 10_000
    assert 0.005 < sum(line.poison for line in lines) / len(lines) < 0.02
    ids = [event_id_of(line.line) for line in lines if not line.poison]
    assert 0.03 < 1 - len(set(ids)) / len(ids) < 0.09, (
        "only what is sent twice has an id twice: waves share no visitor"
    )
    (alone,) = waves(events=300, span_ms=5_000, seed=2, begins_ms=0)
    assert alone.starts_ms == 0
    assert 200 < len(alone.arrivals) <= 300


def test_the_script_stands_still_while_the_system_is_too_far_behind() -> None:
    clock, said = ScriptClock(), list[int | None]()
    behind: list[int | Exception] = [HIGH + 1, KafkaException(), (HIGH + LOW) // 2, LOW - 1]

    def lag() -> int:
        found = behind.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    pressure = Pressure(clock, lag, said.append, report_s=1)
    clock.start()
    held = []
    for _ in range(4):
        pressure.look()
        held.append(clock.held)
    assert held == [True, True, True, False], (
        "a broker that does not answer changes nothing, nor does what lies between"
    )


def test_a_system_that_gets_nowhere_is_distinguished_from_a_slow_one() -> None:
    now = [0.0]
    headway = Headway("the groups", 10, clock=lambda: now[0])
    for second, left in ((0, 100), (9, 99), (18, None), (19, 120)):
        now[0] = second
        headway.saw(left)
    now[0] = 19.5
    with pytest.raises(NotDrained, match="the groups: no headway in 10 s, 99 left"):
        headway.saw(99)


def test_a_crowded_machine_gives_less_time_than_has_passed() -> None:
    now, load = [0.0], [1.0]
    given = MachineTime(clock=lambda: now[0], load=lambda: load[0], cores=2)
    now[0] = 10
    assert given() == 10  # there is a core for everybody
    load[0], now[0] = 20.0, 30
    assert given() == 12
    assert given() == 12


@pytest.mark.parametrize(
    ("backlog", "given_s", "late"),
    [(0, 30, False), (0, 31, True), (3_000, 40, False), (3_000, 41, True)],
)
def test_what_piled_up_under_faults_has_a_bound(backlog: int, given_s: float, late: bool) -> None:
    recovery = Recovery(backlog=backlog, seconds=400, given_s=given_s)
    found = recovery.late(Pace(recovery_s=30, recovery_rate=300))
    assert len(found) == late
    assert all(f"took 400 s, of which the machine gave {given_s} s" in text for text in found)


def _run(
    tmp_path: Path, broker_cache: Path, spawn: Spawn = subprocess.Popen, **more: Any
) -> Outcome:
    order = Order(agreement=DEMO_AGREEMENT, **more)
    return ChaosRun(tmp_path, order, cache=broker_cache, say=print, spawn=spawn).run()


@pytest.mark.slow
@pytest.mark.timeout(1_200)  # the run itself gives up where nothing advances
def test_a_small_run_ends_sound(nursery: Nursery, tmp_path: Path, broker_cache: Path) -> None:
    outcome = _run(
        tmp_path,
        broker_cache,
        nursery.popen,
        kills=SMALL_KILLS,
        events=150,
        seconds=12,
        seed=SMALL_SEED,
        workers=1,
        partitions=2,
        pace=QUICK,
    )
    assert outcome.wrong == []
    assert outcome.unacknowledged == 0
    assert {Fault.KILL, Fault.PAUSE, Fault.BROKER_KILL, Fault.AGREEMENT} <= {
        Fault(fault) for fault in outcome.faults
    }
    assert sum(outcome.faults.values()) == SMALL_KILLS + 1
    assert outcome.worker_starts > 4
    assert outcome.acknowledged > 120
    assert min(outcome.by_way["http"], outcome.by_way["kafka"]) > 30
    assert outcome.witnessed > 500
    assert outcome.report.checked["leads.routed.sdr.v1"] > 3
    assert outcome.report.checked["leads.acts.v1"] > 3


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_longer_run_ends_sound(tmp_path: Path, broker_cache: Path) -> None:
    outcome = _run(tmp_path, broker_cache, kills=12, events=2_000, seconds=120, seed=5)
    assert outcome.wrong == []
    assert outcome.unacknowledged == 0
    assert {Fault(fault) for fault in outcome.faults} == ONE_BROKER


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_run_with_state_on_disk_ends_sound(tmp_path: Path, broker_cache: Path) -> None:
    more = {"kills": 12, "events": 2_000, "seconds": 120, "seed": 5, "on_disk": True, "keep": True}
    outcome = _run(tmp_path, broker_cache, **more)
    assert outcome.wrong == []
    kept = {folder.name for folder in (tmp_path / "states").iterdir()}
    assert {"ingest-0", "ingest-1", "scorer-0", "scorer-1", "router-0", "sla_watcher-1"} <= kept


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_an_upgrade_and_a_restored_backup_under_load_end_sound(
    tmp_path: Path, broker_cache: Path
) -> None:
    """The former version is this one, from another folder; ``--former`` takes a real one."""
    former = tmp_path / "former"
    for name in ("baton", "services", "schemas", "examples"):
        shutil.copytree(ROOT / name, former / name)
    more = {"kills": 2, "events": 600, "seconds": 60, "seed": 5, "former": former, "backup": True}
    outcome = _run(tmp_path / "run", broker_cache, **more)
    assert outcome.wrong == []
    assert {Fault.UPGRADE, Fault.BACKUP} <= {Fault(fault) for fault in outcome.faults}


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_run_on_three_brokers_ends_sound(broker_cache: Path) -> None:
    words = ["--brokers", "3", "--kills", "11", "--events", "1500", "--workers", "1"]
    environment = {**os.environ, "BATON_CACHE": str(broker_cache)}
    run = subprocess.run(
        [sys.executable, "-m", "baton.proof.chaos", *words, "--partitions", "2", "--json"],
        stdout=subprocess.PIPE,
        env=environment,
        check=False,
    )
    outcome = json.loads(run.stdout)
    assert outcome["wrong"] == []
    assert outcome["faults"].keys() >= {Fault.BROKER_KILL, Fault.BROKER_FREEZE}
    assert Fault.PARTITION in outcome["faults"] or outcome["skipped"]


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_run_that_is_asked_to_stop_leaves_nobody_behind(broker_cache: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "baton.proof.chaos",
        "--events",
        "100",
        "--kills",
        "1",
        "--workers",
        "1",
        "--partitions",
        "1",
    ]
    environment = {**os.environ, "BATON_CACHE": str(broker_cache)}
    run = psutil.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, text=True
    )
    assert run.stderr is not None
    started: list[psutil.Process] = []
    for line in run.stderr:
        if "until every task has begun" in line and not started:
            # Not children(), which compares start times, and those move with the system's idea of
            # when it was booted.
            started = [
                process
                for process in psutil.process_iter(["ppid"])
                if process.info["ppid"] == run.pid
            ]
            run.terminate()
    assert run.wait(240) == 130
    assert len(started) >= 5  # the broker and a worker of each service
    _, left = psutil.wait_procs(started, timeout=120)
    assert left == []

"""The service is down for an hour with 5,000 deadlines in it: nothing early, nobody late who was
not, and all that is due in order."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import SlaClock, SlaViolation
from baton.engine.memory import MemoryHost
from services.sla_watcher.clocks.reducer import Clocks
from tests.services.sla_watcher.sla_scene import Terms, agreement, ms, promises
from tests.streams import move_of, stream_of

T = TypeVar("T")
LEADS = 5_000
HOUR = 3_600_000
STEP_MS = HOUR // LEADS
BEGINS = ms("Mon 10:00")
ACCEPT = "  - {clock: accept, within: 1 business hour, evidence_grace: 0 minutes}"


def name_of(number: int) -> str:
    return f"lead-{number:04}"


def hand_over(host: MemoryHost, number: int) -> None:
    """A lead is qualified and offered to somebody now."""
    lead, now = name_of(number), host.log.now
    qualified = LeadQualified(
        qualification_id=f"q-{lead}",
        lead_id=lead,
        cycle=1,
        leg="sales",
        level="hot",
        grade="A1",
        fit_micro=0,
        engagement_micro=0,
        hand_raised=False,
        cause_id="c",
        qualified_at_ms=now,
        received_at_ms=now,
        segment="big",
        story=Story(),
        agreement="a",
    )
    routed = LeadRouted(
        handoff_id=f"h-{lead}",
        qualification_id=f"q-{lead}",
        attempt=1,
        lead_id=lead,
        cycle=1,
        leg="sales",
        pool="reps",
        owner="ann",
        level="hot",
        segment="big",
        hand_raised=False,
        routed_at_ms=now,
        qualified_at_ms=now,
        path=(),
        candidates=(),
        rule="default",
        turn_used=True,
        qualified=qualified,
        agreement="a",
    )
    send(host, lead, qualified)
    send(host, lead, routed)


def accept(host: MemoryHost, number: int) -> None:
    lead, now = name_of(number), host.log.now
    staged = move_of(
        lead,
        "accepted",
        at_ms=now,
        by="ann",
        handoff_id=f"h-{lead}",
        qualification_id=f"q-{lead}",
    )
    send(host, lead, staged)


def send(host: MemoryHost, lead: str, value: object) -> None:
    topic, said = stream_of(value)
    host.send(topic, lead, said)


def facts(host: MemoryHost, topic: str, kind: type[T]) -> list[T]:
    return [
        codec_for(kind).decode(record.value)
        for record in host.log.history
        if record.topic == topic and record.value is not None
    ]


def test_an_hours_outage_with_five_thousand_deadlines_in_it() -> None:
    host = MemoryHost(
        [Clocks()], Terms(agreement(slas=promises(ACCEPT, grace="{}"))), start_ms=BEGINS
    )
    for number in range(LEADS):
        host.log.now = BEGINS + number * STEP_MS
        hand_over(host, number)
        if number % 100 == 99:
            host.settle()
    host.settle()
    (task,) = host.tasks.values()
    task.crash()
    random = Random(7)
    in_time = set(random.sample(range(LEADS), LEADS // 3))
    too_late = set(random.sample(sorted(set(range(LEADS)) - in_time), LEADS // 5))
    acts = [(BEGINS + number * STEP_MS + HOUR - 1, number) for number in in_time]
    acts += [(BEGINS + number * STEP_MS + HOUR + 1, number) for number in too_late]
    for at_ms, number in sorted(acts):
        host.log.now = max(host.log.now, at_ms)
        accept(host, number)
    host.log.now = BEGINS + 2 * HOUR
    task.start()
    host.settle()
    host.advance(BEGINS + 3 * HOUR)

    breaches = [
        said
        for said in facts(host, "leads.sla-violations.v1", SlaViolation)
        if said.kind == "breach"
    ]
    assert {said.lead_id for said in breaches} == {
        name_of(number) for number in set(range(LEADS)) - in_time
    }
    assert len(breaches) == LEADS - len(in_time)
    assert all(said.at_ms >= said.deadline_ms for said in breaches)
    assert [said.deadline_ms for said in breaches] == sorted(said.deadline_ms for said in breaches)
    assert not any(said.unproven for said in breaches)
    states = {said.lead_id: said.state for said in facts(host, "leads.sla-clocks.v1", SlaClock)}
    expected = dict.fromkeys(range(LEADS), "breached")
    expected |= dict.fromkeys(in_time, "met") | dict.fromkeys(too_late, "met_late")
    assert states == {name_of(number): state for number, state in expected.items()}

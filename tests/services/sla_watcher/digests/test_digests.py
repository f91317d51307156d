"""One digest a pool, person and period, however many leads need a manager."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.codec import codec_for
from baton.contracts.digests import MOST_LEADS, DigestLead, Escalation, SlaDigest
from baton.contracts.slas import SlaAction
from baton.engine.memory import MemoryHost
from services.sla_watcher.digests.reducer import Digests
from tests.services.sla_watcher.sla_scene import Scene, Terms, agreement, law, ms, promises, words

ROUTE = "  - {clock: route, within: 30 minutes elapsed, ladder: [{do: escalate, to: manager}]}"
MINUTE = 60_000


def watched(*, digest: str | None = None) -> MemoryHost:
    """The reducer alone, from Monday at ten on."""
    slas = promises(ROUTE, grace="{}") | ({"digest": digest} if digest else {})
    return MemoryHost([Digests()], Terms(agreement(slas=slas)), start_ms=ms("Mon 10:00"))


def escalate(host: MemoryHost, number: int, *, to: str = "max", clock: str = "route") -> None:
    lead = DigestLead(
        lead_id=f"lead-{number}", clock=clock, deadline_ms=number, action_id=f"a{number:06}"
    )
    said = Escalation(
        digest=f"reps/{to}",
        to=to,
        pool="reps",
        lead=lead,
        at_ms=host.log.now,
        cause_id="c",
        agreement="a",
    )
    host.send("sla.escalations.v1", said.digest, said)
    host.settle()


def digests(host: MemoryHost) -> list[SlaDigest]:
    return [
        codec_for(SlaDigest).decode(record.value)
        for record in host.log.history
        if record.topic == "leads.sla-digests.v1" and record.value is not None
    ]


def lines(host: MemoryHost) -> list[str]:
    return [f"{words(said.at_ms)} {said.to}: {said.count}" for said in digests(host)]


def test_a_full_pool_with_3324_breaches_in_a_minute_is_two_digests() -> None:
    host = watched()
    for number in range(3_324):
        escalate(host, number)
    host.advance(ms("Tue 10:00"))
    assert lines(host) == ["Mon 10:00 max: 1", "Mon 10:15 max: 3323"]
    last = digests(host)[-1]
    assert last.clocks == {"route": 3_323}
    assert [lead.deadline_ms for lead in last.leads] == list(range(1, MOST_LEADS + 1))


def test_a_single_breach_is_reported_at_once_and_a_quiet_period_says_nothing() -> None:
    host = watched()
    escalate(host, 1)
    host.advance(ms("Mon 12:00"))
    escalate(host, 2)
    host.advance(ms("Tue 12:00"))
    assert lines(host) == ["Mon 10:00 max: 1", "Mon 12:00 max: 1"]


def test_what_comes_again_and_again_is_reported_once_a_period_of_the_agreement() -> None:
    host = watched(digest="1 hour")
    for number in range(8):
        escalate(host, number)
        host.advance(host.log.now + 20 * MINUTE)
    host.advance(ms("Tue 12:00"))
    assert lines(host) == [
        "Mon 10:00 max: 1",
        "Mon 11:00 max: 2",
        "Mon 12:00 max: 3",
        "Mon 13:00 max: 2",
    ]


def test_each_manager_has_a_digest_of_their_own() -> None:
    host = watched()
    escalate(host, 1)
    escalate(host, 2, to="mona")
    escalate(host, 3)
    host.advance(ms("Mon 11:00"))
    assert lines(host) == ["Mon 10:00 max: 1", "Mon 10:00 mona: 1", "Mon 10:15 max: 1"]


@law(30)
@given(gaps=st.lists(st.integers(0, 30 * MINUTE), max_size=30))
def test_every_escalation_is_in_exactly_one_digest_and_none_waits_longer_than_a_period(
    gaps: list[int],
) -> None:
    host = watched()
    came: list[int] = []
    for number, gap in enumerate(gaps):
        host.advance(host.log.now + gap)
        came.append(host.log.now)
        escalate(host, number)
    host.advance(host.log.now + 60 * MINUTE)
    said = digests(host)
    assert sum(one.count for one in said) == len(came)
    assert all(one.count <= MOST_LEADS or len(one.leads) == MOST_LEADS for one in said)
    named = sorted(lead.lead_id for one in said for lead in one.leads)
    assert named == sorted(f"lead-{number}" for number in range(len(came)))
    assert all(later.at_ms - one.at_ms >= 15 * MINUTE for one, later in pairwise(said))
    by_lead = {lead.lead_id: one.at_ms for one in said for lead in one.leads}
    assert all(
        0 <= by_lead[f"lead-{number}"] - at_ms <= 15 * MINUTE for number, at_ms in enumerate(came)
    )


def test_a_lead_that_waits_too_long_in_a_pool_is_an_action_that_names_its_digest() -> None:
    scene = Scene(agreement(slas=promises(ROUTE, grace="{}"))).qualified().unrouted("held")
    actions = [fact for fact in scene.at("Mon 12:00").facts() if isinstance(fact, SlaAction)]
    assert [(action.kind, action.to, action.digest) for action in actions] == [
        ("escalate", "max", "reps/max")
    ]


def test_what_the_owner_hears_of_their_own_breach_goes_to_them_by_itself() -> None:
    scene = Scene().qualified().routed("ann")
    actions = [fact for fact in scene.at("Mon 12:00").facts() if isinstance(fact, SlaAction)]
    assert [(action.kind, action.to, action.digest) for action in actions] == [
        ("notify", "ann", None)
    ]

"""Leads that are to go to one person (their account's owner, whoever has their colleague) and wait
until that person may have them, whatever everybody else of the pool is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.agreement.reference import AgreementReference, reference_of
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.engine.reducer import Event
from services.router.assignment.reducer import Assignment
from tests.services.router.assignment.test_queue import Pool as Key
from tests.services.router.assignment.test_queue import item
from tests.services.router.router_world import HOUR, MONDAY_0900, POOLS, agreement


class Pool(Key):
    """A key of assignment, and what its last step said of leads that wait."""

    waits: list[LeadUnrouted]


def _reference(**members: Mapping[str, Any]) -> AgreementReference:
    return reference_of(agreement(pools={**POOLS, "bridge": {"kind": "sdr", "members": members}}))


def _take(pool: Pool, reference: AgreementReference, value: Any, *, now: int) -> list[LeadRouted]:
    event = Event(
        topic="router.queue.v1",
        partition=0,
        offset=0,
        key=pool.key,
        value=value,
        id="e",
        at_ms=now,
        received_at_ms=now,
    )
    step = Assignment().step(pool, event, now=now, reference=reference)
    values = pool.apply(step)
    pool.waits = [value for value in values if isinstance(value, LeadUnrouted)]
    return [value for value in values if isinstance(value, LeadRouted)]


def test_a_lead_goes_to_whoever_has_its_colleague_though_they_are_full() -> None:
    pool, reference = Pool(), _reference(ann={"capacity": 2, "offers": 1}, bob={"capacity": 1})
    for lead, who in (("first", "ann"), ("second", "bob")):
        _take(pool, reference, item(lead, person=who, rule="named_account"), now=MONDAY_0900)
    for lead, who in (("first", "ann"), ("second", "bob")):
        accepted = item(lead, "accepted", person=who)
        assert not _take(pool, reference, accepted, now=MONDAY_0900)
    (offered,) = _take(pool, reference, item("third"), now=MONDAY_0900)
    assert offered.owner == "ann", "her last place, and her only offer"
    ahead = _take(pool, reference, item("ahead"), now=MONDAY_0900)
    beside = item("colleague", beside="h-first", rule="colleague")
    assert not ahead + _take(pool, reference, beside, now=MONDAY_0900 + 1)

    answered = item("third", "accepted", person="ann")
    (routed,) = _take(pool, reference, answered, now=MONDAY_0900 + HOUR)

    assert (routed.lead_id, routed.owner, routed.rule) == ("colleague", "ann", "colleague")


def test_an_account_waits_for_its_owner_who_gets_leads_by_name_only_until_their_day_begins() -> (
    None
):
    pool, reference = Pool(), _reference(ann={"weight": 0}, bob={"capacity": 0})
    night = MONDAY_0900 - 3 * HOUR
    named = item("l1", person="ann", rule="named_account")
    assert not _take(pool, reference, item("l0"), now=night)
    assert not _take(pool, reference, named, now=night)
    (held,) = pool.waits
    assert (held.reason, held.next_try_at_ms) == ("full,no_weight", MONDAY_0900)
    assert pool.wake_at == MONDAY_0900

    woken = pool.apply(Assignment().wake(pool, now=MONDAY_0900, reference=reference))

    (routed,) = [value for value in woken if isinstance(value, LeadRouted)]
    assert (routed.lead_id, routed.owner, routed.rule) == ("l1", "ann", "named_account")

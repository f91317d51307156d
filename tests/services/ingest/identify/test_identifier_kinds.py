"""The table of identifier kinds decides what identify does with each: nothing else knows them by
name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from baton.contracts.identity import IDENTIFIER_KINDS, Identifier, IdentifierKind
from baton.contracts.intake import AliasKind, Engagement, IntakeRecord, LeadMerge
from baton.intake.placeholders import is_placeholder
from services.ingest.identify.state import slot_of
from tests.services.ingest.identify.test_identify import ANN, T0, World, key_for

BADGE = "badge"


@contextmanager
def a_further_kind(**says: Any) -> Iterator[None]:
    """A kind that nothing names, weaker than all others, with the row ``says``."""
    is_placeholder.cache_clear()
    with patch.dict(IDENTIFIER_KINDS, {BADGE: IdentifierKind(scheme=BADGE, **says)}):
        yield
    is_placeholder.cache_clear()


def record(number: int, *identifiers: tuple[str, str]) -> IntakeRecord:
    return IntakeRecord(
        event_id=f"e{number}",
        source="test",
        kind="engagement",
        occurred_at_ms=T0,
        identifiers=tuple(Identifier(scheme=scheme, value=value) for scheme, value in identifiers),
        engagement=Engagement(act="form"),
    )


def world_of(*records: IntakeRecord) -> World:
    world = World()
    for one in records:
        world.take(one)
        world.settle()
    return world


def ended(world: World) -> set[str]:
    """The leads that ended in another one."""
    return {merge.loser for merge in world.of(LeadMerge)}


@pytest.mark.parametrize(
    ("scheme", "value", "slot"),
    [
        ("lead", "0" * 32, "lead"),
        ("email", ANN, "email"),
        ("crm", "hubspot:4711", "crm:hubspot"),
        ("crm", "salesforce:00Q5g00000AbCdEEAV", "crm:salesforce:00Q"),
        ("crm", "hubspot-deal:77", None),
        ("user", "u1", None),
        ("anonymous", "n1", None),
        ("of_a_later_version", "x", None),
    ],
)
def test_the_slot_of_an_identifier(scheme: str, value: str, slot: str | None) -> None:
    assert slot_of(Identifier(scheme=scheme, value=value)) == slot


def test_people_with_different_ones_are_two_where_a_person_has_only_one() -> None:
    news = (
        record(1, ("email", ANN), (BADGE, "one")),
        record(2, (BADGE, "two")),
        record(3, ("email", ANN), (BADGE, "two")),
    )
    with a_further_kind(one_per_person=True):
        world = world_of(*news)
    assert (ended(world), len(world.reports(AliasKind.CONFLICT))) == (set(), 1)
    with a_further_kind():
        world = world_of(*news)
    assert (len(ended(world)), world.reports(AliasKind.CONFLICT)) == (1, [])


def test_one_that_names_its_system_is_one_per_system() -> None:
    with a_further_kind(one_per_person=True, names_its_system=True):
        assert slot_of(Identifier(scheme=BADGE, value="fair:7")) == "badge:fair"
        assert is_placeholder(BADGE, "fair:undefined")
    with a_further_kind(one_per_person=True):
        assert slot_of(Identifier(scheme=BADGE, value="fair:7")) == "badge"
        assert not is_placeholder(BADGE, "fair:undefined")


def test_a_lead_keeps_its_id_under_a_stronger_identifier_where_the_weaker_one_is_asked() -> None:
    news = record(1, (BADGE, "one")), record(2, ("email", ANN), (BADGE, "one"))
    with a_further_kind(asked_for_lead=True):
        world = world_of(*news)
    assert ended(world) == set()
    assert len(set(world.leads(("email", ANN), (BADGE, "one")))) == 1
    with a_further_kind():
        assert len(ended(world_of(*news))) == 1


def test_a_lead_of_a_device_is_nobody_known() -> None:
    for device in (True, False):
        with a_further_kind(device=device):
            head = world_of(record(1, (BADGE, "one"))).keys[key_for(BADGE, "one")].head
        assert head is not None
        assert head.known is not device

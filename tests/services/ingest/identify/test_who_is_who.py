"""What a person decides about who is who: an erasure by lead id, ``merge``, ``unmerge``."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from baton.contracts.intake import AliasKind, LeadCommand, LeadEvent, LeadMerge
from baton.derived_ids import derived_id
from baton.intake.line_reading import LineRefused, read_line
from tests.services.ingest.identify.test_identify import (
    ANN,
    ANN_LEAD,
    BOB,
    CRM,
    CRM2,
    T0,
    World,
    erasure,
    key_for,
    view_of,
)


def command(kind: str, **identifiers: Any) -> dict[str, Any]:
    return {
        "id": f"{kind}-{sorted(identifiers.items())}",
        "kind": "command",
        "occurred_at": T0,
        "identifiers": identifiers,
        "command": {"kind": kind, "by": "maria", "reason": "two_people"},
    }


@pytest.mark.parametrize("seed", range(10))
def test_an_erasure_by_the_leads_id_forgets_the_person_under_all_identifiers(seed: int) -> None:
    world = World(seed).send(
        view_of("v", anonymous="n1"),
        view_of("form", email=ANN, anonymous="n1", user="u1"),
        view_of("sync", crm=CRM, email=ANN),
    )
    world.facts.clear()
    world.send(erasure(at=T0 + 50, lead=ANN_LEAD))
    everybody = [("email", ANN), ("crm", CRM), ("user", "u1"), ("anonymous", "n1")]
    assert world.leads(*everybody) == [None] * 4
    assert ANN_LEAD in {event.lead_id for event in world.of(LeadEvent) if event.kind == "erasure"}
    world.facts.clear()
    world.send(view_of("late", at=T0, email=ANN), view_of("late", at=T0, crm=CRM))
    assert world.of(LeadEvent) == []
    assert len(world.reports(AliasKind.DROPPED)) == 2


def test_an_erasure_of_a_lead_id_that_no_identity_knows_is_published_for_that_lead() -> None:
    unknown = "0" * 31 + "7"
    world = World().send(erasure(lead=unknown))
    assert [(event.kind, event.lead_id) for event in world.of(LeadEvent)] == [("erasure", unknown)]


@pytest.mark.parametrize("seed", range(10))
def test_an_act_about_a_lead_id_joins_the_address_that_comes_with_it_to_the_same_person(
    seed: int,
) -> None:
    world = World(seed).send(view_of("form", email=ANN))
    world.send(view_of("call", lead=ANN_LEAD, user="u1"), view_of("page", user="u1"))
    assert world.leads(("user", "u1"), ("email", ANN)) == [ANN_LEAD] * 2


@pytest.mark.parametrize("seed", range(10))
def test_a_merge_by_a_person_joins_what_looks_like_two_people(seed: int) -> None:
    world = World(seed).send(view_of("sync", crm=CRM), view_of("sync", crm=CRM2))
    first, second = world.leads(("crm", CRM), ("crm", CRM2))
    assert first
    assert second
    assert first != second
    world.send(command("merge", lead=[first, second]))
    assert world.leads(("crm", CRM), ("crm", CRM2)) == [first, first]
    (audit,) = world.of(LeadCommand)
    assert (audit.command.kind, audit.command.by, audit.command.reason) == (
        "merge",
        "maria",
        "two_people",
    )
    assert {(merge.loser, merge.survivor) for merge in world.of(LeadMerge)} == {(second, first)}
    assert world.reports(AliasKind.CONFLICT) == []


@pytest.mark.parametrize("seed", range(20))
def test_an_unmerge_separates_what_a_join_joined_and_no_event_joins_it_again(seed: int) -> None:
    world = World(seed).send(
        view_of("form", email=ANN),
        view_of("sync", crm=CRM),
        view_of("visit", anonymous="n1"),
        view_of("form", crm=CRM, anonymous="n1"),
        view_of("wrong", email=ANN, crm=CRM),
    )
    assert world.leads(("email", ANN), ("crm", CRM), ("anonymous", "n1")) == [ANN_LEAD] * 3
    world.send(command("unmerge", lead=ANN_LEAD, crm=CRM))
    ann, crm, visitor = world.leads(("email", ANN), ("crm", CRM), ("anonymous", "n1"))
    assert ann == ANN_LEAD
    assert crm not in (None, ANN_LEAD)
    assert crm == visitor, "what had joined the record before goes with it"
    former = derived_id("lead", key_for("crm", CRM))
    assert world.current("lead", former) == crm
    assert world.current("lead", str(crm)) == crm
    world.send(
        view_of("wrong", 2, email=ANN, crm=CRM),
        view_of("new", 3, email=ANN, anonymous="n1"),
        view_of("new", 4, user="u9", crm=CRM, email=ANN),
        view_of("new", 5, lead=ANN_LEAD, crm=CRM),
    )
    assert world.leads(("email", ANN), ("crm", CRM), ("anonymous", "n1")) == [ann, crm, crm]
    assert [entry.command.kind for entry in world.of(LeadCommand)] == ["unmerge"]


@pytest.mark.parametrize("seed", range(20))
def test_where_the_first_identity_of_a_lead_leaves_the_others_keep_the_lead(seed: int) -> None:
    world = World(seed).send(
        view_of("form", email=ANN),
        view_of("sync", crm=CRM, email=ANN),
        view_of("visit", crm=CRM, anonymous="n1"),
    )
    world.send(command("unmerge", crm=CRM, email=ANN))
    crm, visitor, ann = world.leads(("crm", CRM), ("anonymous", "n1"), ("email", ANN))
    assert (crm, visitor) == (ANN_LEAD, ANN_LEAD)
    assert ann not in (None, ANN_LEAD)
    world.send(
        view_of("again", 2, crm=CRM, email=ANN),
        view_of("more", 3, lead=ANN_LEAD, user="u1"),
        view_of("more", 4, user="u1", email=ANN),
    )
    assert world.leads(("crm", CRM), ("user", "u1"), ("email", ANN)) == [ANN_LEAD, ANN_LEAD, ann]
    world.facts.clear()
    world.send(erasure(at=T0 + 900, lead=ANN_LEAD))
    assert world.leads(("crm", CRM), ("anonymous", "n1"), ("email", ANN)) == [None, None, ann]


@pytest.mark.parametrize("seed", range(10))
def test_a_merge_after_an_unmerge_joins_them_again(seed: int) -> None:
    world = World(seed).send(view_of("form", email=ANN), view_of("wrong", email=ANN, crm=CRM))
    world.send(command("unmerge", lead=ANN_LEAD, crm=CRM))
    world.send(command("merge", lead=ANN_LEAD, crm=CRM))
    assert world.leads(("email", ANN), ("crm", CRM)) == [ANN_LEAD] * 2


@pytest.mark.parametrize("seed", range(10))
def test_two_who_were_never_joined_can_be_kept_apart(seed: int) -> None:
    world = World(seed).send(view_of("form", email=ANN), view_of("visit", anonymous="n1"))
    world.send(command("unmerge", email=ANN, anonymous="n1"))
    world.send(view_of("shared", 2, email=BOB), view_of("laptop", 3, email=ANN, anonymous="n1"))
    ann, visitor = world.leads(("email", ANN), ("anonymous", "n1"))
    assert ann == ANN_LEAD
    assert visitor != ann


def test_a_command_about_people_that_nobody_knows_begins_no_lead() -> None:
    world = World().send(command("merge", lead=["1" * 32, "2" * 32]))
    assert world.of(LeadCommand) == []
    assert len(world.reports(AliasKind.DROPPED)) == 1


@pytest.mark.parametrize(
    ("kind", "identifiers", "reason"),
    [
        ("merge", {"email": ANN}, "needs two or more for command merge"),
        ("unmerge", {"email": [ANN, BOB]}, "needs one that is stronger than the others"),
    ],
)
def test_a_command_that_does_not_say_who_stays_is_refused(
    kind: str, identifiers: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LineRefused, match=reason):
        read_line(command(kind, **identifiers))


IDENTITIES = [
    ("crm", CRM),
    ("crm", CRM2),
    ("crm", "hubspot:7"),
    ("email", ANN),
    ("email", BOB),
    ("user", "u1"),
    ("anonymous", "n1"),
    ("anonymous", "n2"),
]
SCHEMES = ("crm", "email", "user", "anonymous")


def by_scheme(chosen: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        scheme: values
        for scheme in SCHEMES
        if (values := [value for own, value in chosen if own == scheme])
    }


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["event", "event", "event", "unmerge", "unmerge", "merge"]),
        st.lists(st.sampled_from(IDENTITIES), min_size=1, max_size=3, unique=True),
    ),
    min_size=2,
    max_size=14,
)


def stronger(chosen: list[tuple[str, str]]) -> bool:
    """Whether an unmerge may name these: one is stronger than all others."""
    ranks = sorted(SCHEMES.index(scheme) for scheme, _ in chosen)
    return len(ranks) > 1 and ranks[0] < ranks[1]


@settings(max_examples=150, deadline=None)
@example([("event", [("email", ANN)]), ("unmerge", [("crm", CRM), ("email", ANN)])], 0)
@given(STEPS, st.integers(0, 1_000))
def test_whatever_is_joined_and_separated_groups_are_whole_and_the_separated_stay_apart(
    steps: list[tuple[str, list[tuple[str, str]]]], seed: int
) -> None:
    world = World(seed)
    apart: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for number, (kind, chosen) in enumerate(steps):
        if kind == "event":
            world.send(view_of("x", number, **by_scheme(chosen)))
        elif kind == "merge":
            if len(chosen) > 1:
                world.send(command("merge", **by_scheme(chosen)) | {"id": f"c{number}"})
                apart.clear()  # it may join any of them again
        elif stronger(chosen):
            first, *others = sorted(chosen, key=lambda pair: SCHEMES.index(pair[0]))
            before = world.leads(first, *others)
            world.send(command("unmerge", **by_scheme(chosen)) | {"id": f"c{number}"})
            if before[0] is not None:
                known = zip(others, before[1:], strict=True)
                apart += [(first, other) for other, lead in known if lead is not None]
        for one, other in apart:
            assert world.leads(one)[0] != world.leads(other)[0], (one, other)
        assert_groups_are_whole(world)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 1_000))
def test_groups_are_whole_in_the_end_however_joins_and_separations_cross(
    steps: list[tuple[str, list[tuple[str, str]]]], seed: int
) -> None:
    world = World(seed)
    for number, (kind, chosen) in enumerate(steps):
        line = view_of("x", number, **by_scheme(chosen))
        if (kind == "merge" and len(chosen) > 1) or (kind == "unmerge" and stronger(chosen)):
            line = command(kind, **by_scheme(chosen)) | {"id": f"c{number}"}
        world.send(line, settle=False)
    world.settle()
    assert_groups_are_whole(world)


def assert_groups_are_whole(world: World) -> None:
    """Every identity names a root that is one, and the lead that the root has."""
    for key, view in world.keys.items():
        if view.head is None or view.head.lead_id is None:
            continue
        root = world.keys[view.head.root].head
        assert root is not None
        assert (root.root, root.lead_id) == (view.head.root, view.head.lead_id), key


DEAL = "hubspot-deal:77"


@pytest.mark.parametrize("seed", range(10))
def test_a_deal_leads_to_the_lead_that_has_it_and_makes_no_two_buyers_one(seed: int) -> None:
    world = World(seed).send(
        view_of("sync", crm=CRM), view_of("sync", crm=CRM2), view_of("link", crm=[DEAL, CRM])
    )
    world.send(view_of("further", crm=[DEAL, CRM2]), view_of("stage", crm=DEAL))
    first, second, deal = world.leads(("crm", CRM), ("crm", CRM2), ("crm", DEAL))
    assert first != second
    assert deal == first
    assert world.of(LeadMerge) == []
    assert len(world.reports(AliasKind.CONFLICT)) >= 1


@pytest.mark.parametrize("seed", range(10))
def test_several_deals_that_came_before_their_contact_end_in_one_lead(seed: int) -> None:
    world = World(seed).send(
        view_of("one", crm="hubspot-deal:1"),
        view_of("two", crm="hubspot-deal:2"),
        view_of("sync", crm=CRM, email=ANN),
        view_of("link_one", crm=["hubspot-deal:1", CRM]),
        view_of("link_two", crm=["hubspot-deal:2", CRM]),
    )
    named = [("crm", name) for name in ("hubspot-deal:1", "hubspot-deal:2", CRM)]
    assert len({*world.leads(*named, ("email", ANN))}) == 1
    assert world.reports(AliasKind.CONFLICT) == []

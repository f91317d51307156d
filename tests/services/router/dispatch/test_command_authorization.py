"""Who may claim, pass on and assign: one row a rule."""

from __future__ import annotations

import pytest

from baton.contracts.intake import Command
from services.router.dispatch.command_authorization import Authority, Permit, Refusal, authorise
from services.router.dispatch.state import Handoff, HandoffState
from tests.services.router.router_world import PEOPLE, POOLS, agreement

AGREED = agreement(
    people={
        **PEOPLE,
        "mona": {"name": "Mona", "manager": "vera"},
        "vera": {"name": "Vera"},
        "gone": {"name": "Gone", "active": False},
    },
    pools={**POOLS, "night": {"kind": "sdr", "members": {"bob": {}}, "manager": "olaf"}},
)
AUTHORITY = Authority(people=AGREED.people, pools=AGREED.pools)


def handoff(state: HandoffState, owner: str | None = None, pool: str | None = "bridge") -> Handoff:
    return Handoff(
        handoff_id="h",
        qualification_id="q",
        attempt=1,
        cycle=1,
        state=state,
        queue_key="lead:l",
        account_id=None,
        leg="sdr",
        since_ms=0,
        owner=owner,
        pool=pool,
    )


OFFERED = handoff(HandoffState.OFFERED, "ann")
ACCEPTED = handoff(HandoffState.ACCEPTED, "ann")
HELD = handoff(HandoffState.HELD)
HELD_AT_NIGHT = handoff(HandoffState.HELD, pool="night")
WATCHED = handoff(HandoffState.WATCHED, "olaf")
REQUESTED = handoff(HandoffState.REQUESTED, pool=None)
ROWS: list[tuple[str, Handoff, str, str | None, str | None, str]] = [
    ("claim bob", HELD, "claim", None, None, "bob takes it in bridge"),
    ("claim rex", HELD, "claim", None, None, "not_in_the_pool"),
    ("claim mona", HELD, "claim", None, None, "mona takes it in bridge"),
    ("claim olaf", HELD_AT_NIGHT, "claim", None, None, "olaf takes it in night"),
    ("claim bob", WATCHED, "claim", None, None, "bob takes it in bridge"),
    ("claim olaf", WATCHED, "claim", None, None, "olaf takes it in bridge"),
    ("claim bob", OFFERED, "claim", None, None, "held_by_another"),
    ("claim ann", OFFERED, "claim", None, None, "already_theirs"),
    ("claim mona", OFFERED, "claim", None, None, "mona takes it in bridge"),
    ("claim vera", ACCEPTED, "claim", None, None, "vera takes it in bridge"),
    ("claim bob", REQUESTED, "claim", None, None, "being_routed"),
    ("claim stranger", HELD, "claim", None, None, "unknown_person"),
    ("claim gone", HELD, "claim", None, None, "unknown_person"),
    ("pass_on ann", OFFERED, "pass_on", "bob", None, "bob takes it"),
    ("pass_on ann", ACCEPTED, "pass_on", None, "field", "whose turn it is in field"),
    ("pass_on mona", ACCEPTED, "pass_on", "bob", None, "bob takes it"),
    ("pass_on bob", ACCEPTED, "pass_on", "bob", None, "not_the_holder"),
    ("pass_on bob", HELD, "pass_on", "bob", None, "not_the_holder"),
    ("pass_on ann", ACCEPTED, "pass_on", None, None, "no_target"),
    ("pass_on ann", ACCEPTED, "pass_on", "ann", None, "already_theirs"),
    ("pass_on ann", ACCEPTED, "pass_on", "gone", None, "unknown_target"),
    ("pass_on ann", ACCEPTED, "pass_on", "bob", "nowhere", "unknown_pool"),
    ("assign mona", OFFERED, "assign", "rex", "field", "rex takes it in field"),
    ("assign ann", OFFERED, "assign", "rex", None, "not_the_manager"),
    ("assign olaf", OFFERED, "assign", "rex", None, "not_the_manager"),
    ("assign mona", HELD, "assign", "rex", None, "rex takes it"),
    ("assign olaf", HELD_AT_NIGHT, "assign", "bob", None, "bob takes it"),
    ("assign olaf", WATCHED, "assign", "olaf", None, "olaf takes it"),
    ("assign mona", WATCHED, "assign", "bob", None, "bob takes it"),
    ("burn mona", OFFERED, "burn", "rex", None, "unknown_command"),
]


@pytest.mark.parametrize(("who", "about", "kind", "to", "pool", "expected"), ROWS)
def test_who_may_do_what(
    who: str, about: Handoff, kind: str, to: str | None, pool: str | None, expected: str
) -> None:
    command = Command(kind=kind, by=who.split()[1], to_person=to, to_pool=pool)
    match authorise(command, about, AUTHORITY):
        case Permit(person=None, pool=where):
            found = f"whose turn it is in {where}"
        case Permit(person=person, pool=where):
            found = f"{person} takes it" + (f" in {where}" if where else "")
        case Refusal(reason=reason):
            found = reason
    assert found == expected

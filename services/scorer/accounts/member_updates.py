"""How an account publishes itself to its people, where the agreement's gates ask: so many at a
time, always the newest state, and round until all have it.

A change while a round is under way makes it a whole round again from where it is, so nobody is left
out however often the account changes, and a busy account publishes to a person once a round and not
once a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baton.contracts.accounts import Because, BuyingGroup
from baton.contracts.topic_names import SCORER_BUYING
from baton.engine.reducer import Fact, View
from baton.evolve import evolve
from services.scorer.accounts.state import PERSON_OF, AccountHead

SLICE: Final = 100
SLICE_MS: Final = 1_000
_WEIGHT: Final = {Because.TIME: 0, Because.ACT: 1, Because.AGREEMENT: 2}


def begin_round(head: AccountHead, because: Because) -> AccountHead:
    """Everybody is to be updated. What the round is about is the weightiest of what happened since
    it began."""
    former = Because(head.because) if head.outdated else Because.TIME
    return evolve(
        head, outdated=head.people, because=max(former, because, key=_WEIGHT.__getitem__).value
    )


def update_some(
    view: View[AccountHead], head: AccountHead, *, now: int, version: str
) -> tuple[AccountHead, tuple[Fact, ...]]:
    """The next people of the round, and the head after it."""
    number = min(SLICE, head.outdated)
    names = list(_next(view, head.updated_to, number))
    if not names:
        return evolve(head, outdated=0), ()
    facts = tuple(
        Fact(
            SCORER_BUYING,
            name,
            BuyingGroup(
                lead_id=name,
                account_id=view.key,
                people=head.shown_people,
                engaged_people=head.shown_engaged,
                engagement_micro=head.shown_micro,
                most_senior_role=head.shown_role,
                because=head.because,
                at_ms=now,
                cause_id=view.cause,
                agreement=version,
            ),
        )
        for name in names
    )
    return evolve(head, outdated=head.outdated - number, updated_to=names[-1]), facts


def _next(view: View[AccountHead], after: str, number: int) -> Iterator[str]:
    """The people after ``after``, and round."""
    found = view.scan(PERSON_OF, first=after + "\0", limit=number)
    yield from (name for name, _ in found)
    if len(found) < number:
        yield from (
            name for name, _ in view.scan(PERSON_OF, below=after + "\0", limit=number - len(found))
        )

"""What belongs together beyond one lead: identities, accounts and goals, each counted from its
records alone.

Pure. What must also hold of a lead that an identity or an account names is given back as
:class:`Claim` and checked with the lead.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from baton.contracts.accounts import GATHER_MS, GATHER_SMALL_MS, SMALL_ACCOUNT
from baton.proof.audit.findings import Add, Finding, Invariant, Place

Where = tuple[str, int, int]


class Part(NamedTuple):
    """``scorer.accounts.v1``: a lead is in the account from now on, or not any more."""

    at_ms: int
    where: Where
    lead_id: str
    stays: bool


class Counted(NamedTuple):
    """``accounts.scored.v1``: how many people it is said to have."""

    at_ms: int
    where: Where
    people: int


class Tally(NamedTuple):
    """``sla.tallies.v1``. ``taken_back``: what the lead and cycle counted for counts no more."""

    at_ms: int
    where: Where
    tally_id: str
    lead_id: str
    cycle: int
    period: str
    taken_back: bool = False


class Joined(NamedTuple):
    """``sla.tallies.v1``: the lead has ended in another, so the two are one person."""

    lead_id: str
    into: str


class Achieved(NamedTuple):
    """``goals.progress.v1``: how much a period is said to have."""

    at_ms: int
    where: Where
    achieved: int
    period: str


Claim = Callable[[str, str, int, Where], None]
"""``(lead id, what is claimed of it, since when, where)``"""
MOST_PEOPLE = 1_000
"""How many are distinguished in a large account."""
_COUNTING_MS = 10_000
"""So long after it was due an account is counted at the latest."""
IN_ACCOUNT, WAS_PERSON = "in an account", "was the person"


def check_identity(found: Sequence[tuple[int, Where, str]], claim: Claim) -> None:
    """``(at, where, lead)`` of all that one identity was said to belong to: of several leads, each
    but the last has ended in another or was erased."""
    leads = list(dict.fromkeys(lead for _, _, lead in sorted(found)))
    last = max(found)[2]
    for lead in leads:
        if lead != last:
            at_ms, where, _ = max(row for row in found if row[2] == lead)
            claim(lead, WAS_PERSON, at_ms, where)


def check_account(
    account: str,
    parts: Sequence[Part],
    counts: Sequence[Counted],
    *,
    until_ms: int,
    claim: Claim,
    add: Add,
) -> None:
    """The people of an account are those whose last part says that they are in it. ``until_ms``:
    what is later may not be counted yet, nor who came or left so shortly before that the account
    is still to be counted."""
    stands: dict[str, Part] = {}
    changed_ms = 0
    for part in sorted(parts, key=lambda part: (part.at_ms, part.where)):
        former = stands.get(part.lead_id)
        if (former is not None and former.stays) != part.stays:
            changed_ms = part.at_ms
        stands[part.lead_id] = part
    for part in stands.values():
        if part.stays and part.at_ms < until_ms:
            claim(part.lead_id, IN_ACCOUNT, part.at_ms, part.where)
    people = sum(part.stays for part in stands.values())
    gathered_ms = GATHER_SMALL_MS if len(stands) <= SMALL_ACCOUNT else GATHER_MS
    if not counts or changed_ms >= until_ms - gathered_ms - _COUNTING_MS:
        return
    last = max(counts)
    if min(last.people, people) < MOST_PEOPLE and last.people != people:
        words = f"{account} is said to have {last.people} people, its parts come to {people}"
        add(Finding(invariant=Invariant.ACCOUNTS, words=words, place=Place.of(last.where)))


def check_goal(
    goal: str,
    tallies: Sequence[Tally],
    joined: Sequence[Joined],
    reported: Sequence[Achieved],
    *,
    until_ms: int,
    whole: bool,
    add: Add,
) -> None:
    """A period has as many as distinct people came to the stage in it, each once a cycle; leads
    that were merged are one person, and a win that was taken back was none. ``whole``: one
    agreement all along, so that no tally was passed over."""
    people = {join.lead_id: join.into for join in joined}
    counted = _once(goal, tallies, add)
    periods: dict[Whom, set[str]] = {}
    known: set[Whom] = set()
    gone: set[Whom] = set()
    for tally in counted:
        whom = _person(tally.lead_id, people), tally.cycle
        if tally.taken_back:
            gone.add(whom)
            if tally.at_ms < until_ms:
                periods.pop(whom, None)
            continue
        periods.setdefault(whom, set()).add(tally.period)
        if tally.at_ms < until_ms:
            known.add(whom)
    sure = known - gone if whole else set()
    for period in {achieved.period for achieved in reported}:
        last = max(achieved for achieved in reported if achieved.period == period)
        most = sum(period in found for found in periods.values())
        least = sum(found == {period} and whom in sure for whom, found in periods.items())
        if not least <= last.achieved <= most:
            words = (
                f"{goal}: {period} is said to have {last.achieved}, its distinct people are {most}"
            )
            add(Finding(invariant=Invariant.TALLIES, words=words, place=Place.of(last.where)))


Whom = tuple[str, int]
"""A person and a cycle: what counts once."""


def _once(goal: str, tallies: Sequence[Tally], add: Add) -> list[Tally]:
    """The tallies in order; one that is there twice is a finding."""
    counted: dict[tuple[str, str], Tally] = {}
    for tally in sorted(tallies):
        if (tally.tally_id, tally.period) in counted:
            words = (
                f"{goal}: tally {tally.tally_id} is there already at "
                f"{Place.of(counted[tally.tally_id, tally.period].where)}"
            )
            add(Finding(invariant=Invariant.TALLIES, words=words, place=Place.of(tally.where)))
        counted.setdefault((tally.tally_id, tally.period), tally)
    return list(counted.values())


def _person(lead_id: str, people: Mapping[str, str]) -> str:
    """The last lead of the chain of merges; of a circle, its smallest."""
    path = [lead_id]
    while path[-1] in people and people[path[-1]] not in path:
        path.append(people[path[-1]])
    if path[-1] in people:
        return min(path[path.index(people[path[-1]]) :])
    return path[-1]

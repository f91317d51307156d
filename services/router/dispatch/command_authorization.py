"""What a person may do with a hand-off: claim, pass on, assign; and why not.

Who holds a lead may pass it on; nobody else may take it from them but their managers. What waits in
a pool's queue may be claimed by the pool's people. Pure; says nothing of how it is carried out.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from baton.contracts.intake import Command, CommandKind
from services.router.dispatch.state import Handoff, HandoffState

WAITING = frozenset({HandoffState.HELD, HandoffState.WATCHED})
UNKNOWN_PERSON = "unknown_person"
NOT_IN_THE_POOL = "not_in_the_pool"
_LONGEST_CHAIN = 20


class PersonTerms(Protocol):
    """A person of the agreement, as far as authority goes."""

    @property
    def active(self) -> bool: ...
    @property
    def manager(self) -> str | None: ...


class MemberTerms(Protocol):
    """A membership of a pool."""

    @property
    def person(self) -> str: ...


class PoolTerms(Protocol):
    """A pool of the agreement, as far as authority goes."""

    @property
    def members(self) -> Sequence[MemberTerms]: ...
    @property
    def watcher(self) -> str | None: ...
    @property
    def manager(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The command may be carried out: the lead goes to ``person``, or to whose turn it is in
    ``pool``."""

    person: str | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """It may not: ``reason`` is a stable word that a sales tool can show."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The people and pools that authority is read from.

    ``blameless`` are the reasons that are nobody's fault, ``reassigning`` those after which a lead
    goes to somebody else.
    """

    people: Mapping[str, PersonTerms]
    pools: Mapping[str, PoolTerms]
    blameless: Set[str] = frozenset()
    reassigning: Set[str] = frozenset()

    def works_here(self, person: str) -> bool:
        """Known to the agreement and active."""
        found = self.people.get(person)
        return found is not None and found.active

    def manages(self, manager: str, person: str) -> bool:
        """Whether ``manager`` is above ``person``, directly or not."""
        for _ in range(_LONGEST_CHAIN):
            found = self.people.get(person)
            if found is None or found.manager is None:
                return False
            if found.manager == manager:
                return True
            person = found.manager
        return False

    def manager_of(self, person: str | None) -> str | None:
        """Their direct manager."""
        found = self.people.get(person) if person else None
        return found.manager if found else None

    def watcher_of(self, pool: str | None) -> str | None:
        """Who leads the pool, or else watches its fallback queue, or else manages somebody in
        it."""
        found = self.pools.get(pool) if pool else None
        if found is None:
            return None
        managers = sorted(
            filter(None, (self.manager_of(member.person) for member in found.members))
        )
        return found.manager or found.watcher or next(iter(managers), None)

    def member(self, person: str, pool: str | None) -> bool:
        """Whether the pool's queue is theirs to take from."""
        found = self.pools.get(pool) if pool else None
        return found is not None and any(member.person == person for member in found.members)

    def oversees(self, person: str, handoff: Handoff) -> bool:
        """Manager of who holds the lead; where it waits: the pool's manager or watcher, or the
        manager of somebody in it."""
        if handoff.owner is not None and handoff.state not in WAITING:
            return self.manages(person, handoff.owner)
        found = self.pools.get(handoff.pool) if handoff.pool else None
        return found is not None and (
            person in (found.watcher, found.manager)
            or any(self.manages(person, member.person) for member in found.members)
        )


def may_not_answer(by: str | None, handoff: Handoff, authority: Authority) -> str | None:
    """Why ``by`` may not say yes or no to the hand-off; None: they may.

    Who holds it may, under whichever agreement they were given it. Of what waits its pool's people
    may, and who oversees it; of what somebody holds, everybody of the agreement: a colleague who
    stands in is no stranger.
    """
    if by is None or by == handoff.owner:
        return None
    if not authority.works_here(by):
        return UNKNOWN_PERSON
    if (
        handoff.state not in WAITING
        or authority.member(by, handoff.pool)
        or authority.oversees(by, handoff)
    ):
        return None
    return NOT_IN_THE_POOL


def authorise(command: Command, handoff: Handoff, authority: Authority) -> Permit | Refusal:
    """May ``command`` be carried out on the hand-off that stands?"""
    if not authority.works_here(command.by):
        return Refusal(reason=UNKNOWN_PERSON)
    if handoff.state == HandoffState.REQUESTED:
        return Refusal(reason="being_routed")
    match command.kind:
        case CommandKind.CLAIM:
            return _claim(command, handoff, authority)
        case CommandKind.PASS_ON:
            allowed = handoff.owner == command.by or authority.oversees(command.by, handoff)
            return (
                _target(command, handoff, authority)
                if allowed
                else Refusal(reason="not_the_holder")
            )
        case CommandKind.ASSIGN:
            watches = handoff.state == HandoffState.WATCHED and handoff.owner == command.by
            allowed = watches or authority.oversees(command.by, handoff)
            return (
                _target(command, handoff, authority)
                if allowed
                else Refusal(reason="not_the_manager")
            )
        case _:
            return Refusal(reason="unknown_command")


def _claim(command: Command, handoff: Handoff, authority: Authority) -> Permit | Refusal:
    waits = handoff.state in WAITING
    if handoff.owner == command.by and not waits:
        return Refusal(reason="already_theirs")
    if authority.oversees(command.by, handoff):
        return Permit(person=command.by, pool=handoff.pool)
    if not waits:
        return Refusal(reason="held_by_another")
    if handoff.owner == command.by or authority.member(command.by, handoff.pool):
        return Permit(person=command.by, pool=handoff.pool)
    return Refusal(reason=NOT_IN_THE_POOL)


def _target(command: Command, handoff: Handoff, authority: Authority) -> Permit | Refusal:
    if command.to_pool is not None and command.to_pool not in authority.pools:
        return Refusal(reason="unknown_pool")
    if command.to_person is not None:
        if not authority.works_here(command.to_person):
            return Refusal(reason="unknown_target")
        if handoff.owner == command.to_person and handoff.state != HandoffState.WATCHED:
            return Refusal(reason="already_theirs")
        return Permit(person=command.to_person, pool=command.to_pool)
    return (
        Permit(pool=command.to_pool) if command.to_pool is not None else Refusal(reason="no_target")
    )

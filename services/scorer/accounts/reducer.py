"""The accounts reducer: a company as a buying group. Keyed by account.

Number of distinct people and of engaged ones, the sum of their engagement, the most senior role.
People are entries; a move of a lead is a remove here and an add there. Each part carries the lead's
sums, so the numbers are right to the bit at the moment they are published: what every lead is worth
then, not what it was when its part was last published. Who has cooled to less than a point is not
engaged.

Counting looks at everybody. An account is counted with a part at once, unless it was counted a
moment ago, ten seconds for a small one and a minute for a large one: then it is counted at the end
of that time, so that a busy company costs no more than a quiet one. Where a decision of the
agreement depends on accounts, a small one is counted with each part. By itself the account is
counted within the hour after which it may have passed a visible step or somebody may have cooled,
never more often than hourly. Where the agreement's gates ask what an account is, its people are
updated when it changed visibly.
"""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from baton.agreement.reference import AgreementReference
from baton.contracts.accounts import (
    GATHER_MS,
    GATHER_SMALL_MS,
    SMALL_ACCOUNT,
    AccountPart,
    AccountScored,
    Because,
)
from baton.contracts.topic_names import ACCOUNTS_SCORED, SCORER_ACCOUNTS, SCORER_BUYING
from baton.engine.reducer import Drop, Event, Fact, Put, Reducer, Step, View
from baton.evolve import evolve
from services.scorer.accounts.member_updates import SLICE_MS, begin_round, update_some
from services.scorer.accounts.state import ENTRY_KINDS, PERSON_OF, AccountHead, AccountPerson
from services.scorer.score.account_contribution import (
    ENGAGED_MICRO,
    SHOWN_STEP_MICRO,
    Falling,
    Moment,
)

LEAST_MS: Final = 3_600_000
MOST_PEOPLE: Final = 10_000


class Accounts(Reducer[AccountHead, AgreementReference]):
    """The reducer; see the module."""

    name: ClassVar[str] = "accounts"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = (SCORER_ACCOUNTS,)
    outputs: ClassVar[tuple[str, ...]] = (ACCOUNTS_SCORED, SCORER_BUYING)
    head_type: ClassVar[type[AccountHead] | None] = AccountHead
    entry_kinds = ENTRY_KINDS
    adopts: ClassVar[bool] = True

    def step(
        self, view: View[AccountHead], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[AccountHead]:
        """Take what one lead contributes from now on."""
        part: AccountPart = event.value
        former = view.get(PERSON_OF, part.lead_id)
        person = _person(part, former)
        if former is None and person is None:
            return Step(head=view.head, wake_at=view.wake_at)
        head = evolve(_joined(view.head or AccountHead(), former, person), uncounted=True)
        due_ms = head.counted_at_ms + _gather_ms(head, reference)
        if now < due_ms:
            head = evolve(
                head,
                count_at_ms=due_ms if head.count_at_ms is None else min(head.count_at_ms, due_ms),
            )
            return _with_person(view, head, part.lead_id, person, now=now)
        others = [
            other
            for lead_id, other in view.scan(PERSON_OF, limit=MOST_PEOPLE)
            if lead_id != part.lead_id
        ]
        head, facts = _counted(
            head,
            [*others, person] if person else others,
            reference,
            view.key,
            now=now,
            cause=part.cause_id,
        )
        return _with_person(view, head, part.lead_id, person, now=now, facts=facts)

    def wake(
        self, view: View[AccountHead], *, now: int, reference: AgreementReference
    ) -> Step[AccountHead]:
        """Time has passed over its people, enough has been gathered, or some of them are still to
        be updated."""
        head = view.head or AccountHead()
        facts: tuple[Fact, ...] = ()
        if head.outdated:
            head, facts = update_some(view, head, now=now, version=reference.version)
        if head.count_at_ms is not None and head.count_at_ms <= now:
            head, scored = _counted(
                head, _everybody(view), reference, view.key, now=now, cause=view.cause
            )
            facts += scored
        return Step(
            head=head, wake_at=_wake_at(head, now + SLICE_MS if facts else now), facts=facts
        )

    def adopt(
        self, view: View[AccountHead], *, old: str, new: AgreementReference, now: int
    ) -> Step[AccountHead]:
        """Another agreement may rank roles differently; what it makes of its acts, every lead
        publishes by itself."""
        head = view.head or AccountHead()
        head, facts = _counted(head, _everybody(view), new, view.key, now=now, cause=view.cause)
        return Step(head=head, wake_at=_wake_at(head, _next_slice(view, now)), facts=facts)


def _gather_ms(head: AccountHead, reference: AgreementReference) -> int:
    """For how long after it was counted it is not counted again."""
    if head.people > SMALL_ACCOUNT:
        return GATHER_MS
    return 0 if reference.agreement.weighs_accounts else GATHER_SMALL_MS


def _with_person(
    view: View[AccountHead],
    head: AccountHead,
    lead_id: str,
    person: AccountPerson | None,
    *,
    now: int,
    facts: tuple[Fact, ...] = (),
) -> Step[AccountHead]:
    """The step that keeps ``person`` as the lead's entry, or drops it."""
    return Step(
        head=head,
        wake_at=_wake_at(head, _next_slice(view, now)),
        put=(Put(PERSON_OF, lead_id, person),) if person else (),
        drop=() if person else (Drop(PERSON_OF, lead_id),),
        facts=facts,
    )


def _everybody(view: View[AccountHead]) -> list[AccountPerson]:
    return [person for _, person in view.scan(PERSON_OF, limit=MOST_PEOPLE)]


def _next_slice(view: View[AccountHead], now: int) -> int:
    """When the next of its people are updated: at once, unless a round is under way, which keeps
    its pace."""
    under_way = view.head is not None and view.head.outdated
    return view.wake_at if under_way and view.wake_at is not None else now


def _wake_at(head: AccountHead, next_slice_ms: int) -> int | None:
    """When it is counted next, or the next of its people are updated."""
    if not head.outdated:
        return head.count_at_ms
    return next_slice_ms if head.count_at_ms is None else min(head.count_at_ms, next_slice_ms)


def _person(part: AccountPart, former: AccountPerson | None) -> AccountPerson | None:
    """The entry of the lead from now on; None where it left. ``score`` says nothing of the role."""
    if part.kind == "remove":
        return None
    role = former.role if part.kind == "score" and former is not None else part.role
    return AccountPerson(
        engagement_micro=part.engagement_micro,
        role=role,
        at_ms=part.at_ms,
        sums=part.sums,
        until_ms=part.until_ms,
    )


def _joined(
    head: AccountHead, former: AccountPerson | None, person: AccountPerson | None
) -> AccountHead:
    """The head with the number of people and of each role as they are now."""
    if former is not None and person is not None and former.role == person.role:
        return head
    roles, people = dict(head.roles), head.people
    for counted, sign in ((former, -1), (person, 1)):
        if counted is None:
            continue
        people += sign
        if counted.role:
            roles[counted.role] = roles.get(counted.role, 0) + sign
    return evolve(
        head,
        people=people,
        roles={role: number for role, number in sorted(roles.items()) if number},
    )


def most_senior(head: AccountHead, reference: AgreementReference) -> str | None:
    """The role that the agreement ranks highest; of those it does not rank, the first by name."""
    if len(head.roles) < 2:
        return next(iter(head.roles), None)
    return min(head.roles, key=lambda role: (reference.agreement.seniority(role), role))


def _counted(
    head: AccountHead,
    people: list[AccountPerson],
    reference: AgreementReference,
    account_id: str,
    *,
    now: int,
    cause: str,
) -> tuple[AccountHead, tuple[Fact, ...]]:
    """Count everybody as of now, publish the account where it changed visibly, and see when it may
    next. While somebody's part is known to be on its way nothing is published, for a minute at
    most."""
    if any(0 < person.until_ms <= now < person.until_ms + GATHER_MS for person in people):
        return evolve(head, count_at_ms=now + GATHER_MS), ()
    acted = head.uncounted
    sums = _sums_of(people, now)
    head = evolve(
        head,
        engaged_people=sums.engaged,
        engagement_micro=sums.micro,
        counted_at_ms=now,
        count_at_ms=sums.count_at_ms,
        uncounted=False,
    )
    senior, shown_step = most_senior(head, reference), sums.micro // SHOWN_STEP_MICRO
    if (head.people, sums.engaged, shown_step, senior, reference.version) == _shown(head):
        return head, ()
    counted = evolve(
        head,
        shown_people=head.people,
        shown_engaged=sums.engaged,
        shown_micro=sums.micro,
        shown_role=senior,
        version=reference.version,
    )
    if reference.agreement.lifecycle.asks_account:
        adopted = head.version not in ("", reference.version)
        because = Because.ACT if acted else Because.TIME
        counted = begin_round(counted, Because.AGREEMENT if adopted else because)
    return counted, (Fact(ACCOUNTS_SCORED, account_id, _scored(account_id, counted, cause)),)


class _Sums(NamedTuple):
    """Over all people; ``count_at_ms``: when they may be others by time alone."""

    micro: int
    engaged: int
    count_at_ms: int | None


def _sums_of(people: list[AccountPerson], now: int) -> _Sums:
    total, engaged, quiet_ms, moment = Falling(), 0, [], Moment(now)
    for person in people:
        lead = moment.worth(person.sums)
        total.add(lead)
        if lead.micro >= ENGAGED_MICRO:
            alone = Falling()
            alone.add(lead)
            engaged += 1
            quiet_ms.append(alone.holds_for_ms(ENGAGED_MICRO))
    if total.value >= SHOWN_STEP_MICRO:
        quiet_ms.append(total.holds_for_ms(total.value // SHOWN_STEP_MICRO * SHOWN_STEP_MICRO))
    lasting = [ms for ms in quiet_ms if ms is not None]
    return _Sums(total.value, engaged, now + min(lasting) + LEAST_MS if lasting else None)


def _shown(head: AccountHead) -> tuple[object, ...]:
    """What people saw last, by the step that engagement is shown in."""
    return (
        head.shown_people,
        head.shown_engaged,
        head.shown_micro // SHOWN_STEP_MICRO,
        head.shown_role,
        head.version,
    )


def _scored(account_id: str, head: AccountHead, cause: str) -> AccountScored:
    return AccountScored(
        account_id=account_id,
        people=head.people,
        engaged_people=head.engaged_people,
        engagement_micro=head.engagement_micro,
        most_senior_role=head.shown_role,
        at_ms=head.counted_at_ms,
        cause_id=cause,
        agreement=head.version,
    )

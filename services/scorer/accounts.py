"""The accounts reducer: a company as a buying group. Keyed by account.

Number of distinct people and of engaged ones, the sum of their engagement, the most senior role. People are entries, so an account of
any size costs the same; a move of a lead is a remove here and an add there. Numbers are those the leads told last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from baton.agreement.reference import AgreementReference
from baton.contracts.leads import AccountPart, AccountScored
from baton.engine.reducer import Drop, Event, Fact, Put, Reducer, Step, View
from services.scorer.rating import SHOWN_STEP_MICRO
from services.scorer.state_accounts import ENTRY_KINDS, PERSON_OF, AccountHead, AccountPerson

SCORED = "accounts.scored.v1"


class Accounts(Reducer[AccountHead, AgreementReference]):
    """The reducer; see the module."""

    name: ClassVar[str] = "accounts"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = ("scorer.accounts.v1",)
    outputs: ClassVar[tuple[str, ...]] = (SCORED,)
    head_type: ClassVar[type[AccountHead] | None] = AccountHead
    entry_kinds = ENTRY_KINDS
    adopts: ClassVar[bool] = True

    def step(self, view: View[AccountHead], event: Event, *, now: int, reference: AgreementReference) -> Step[AccountHead]:
        """Take what one lead contributes from now on."""
        part: AccountPart = event.value
        head = view.head or AccountHead()
        former = view.get(PERSON_OF, part.lead_id)
        person = None
        if part.kind == "add":
            person = AccountPerson(engagement_micro=part.engagement_micro, role=part.role, at_ms=part.at_ms)
        if former is None and person is None:
            return Step(head=view.head)
        changed = _counted(head, former, person)
        told, facts = _told(view.key, head, changed, reference, now=now, cause=part.cause_id)
        return Step(
            head=told,
            put=(Put(PERSON_OF, part.lead_id, person),) if person else (),
            drop=() if person else (Drop(PERSON_OF, part.lead_id),),
            facts=facts,
        )

    def adopt(self, view: View[AccountHead], *, old: str, new: AgreementReference, now: int) -> Step[AccountHead]:
        """Another agreement may rank roles differently."""
        head = view.head or AccountHead()
        told, facts = _told(view.key, head, head, new, now=now, cause=view.cause)
        return Step(head=told, facts=facts)


def _counted(head: AccountHead, former: AccountPerson | None, person: AccountPerson | None) -> AccountHead:
    roles = dict(head.roles)
    people, engaged, sum_micro = head.people, head.engaged_people, head.engagement_micro
    for each, sign in ((former, -1), (person, 1)):
        if each is None:
            continue
        people += sign
        engaged += sign * (each.engagement_micro > 0)
        sum_micro += sign * each.engagement_micro
        if each.role:
            roles[each.role] = roles.get(each.role, 0) + sign
    kept = {role: number for role, number in sorted(roles.items()) if number}
    return replace(head, people=people, engaged_people=engaged, engagement_micro=sum_micro, roles=kept)


def most_senior(head: AccountHead, reference: AgreementReference) -> str | None:
    """The role that the agreement ranks highest; of those it does not rank, the first by name."""
    return min(head.roles, key=lambda role: (reference.agreement.seniority(role), role), default=None)


def _told(
    account_id: str, former: AccountHead, head: AccountHead, reference: AgreementReference, *, now: int, cause: str
) -> tuple[AccountHead, tuple[Fact, ...]]:
    """Publish the account where it changed visibly."""
    senior = most_senior(head, reference)
    before = former.people, former.engaged_people, former.shown_micro // SHOWN_STEP_MICRO, most_senior(former, reference)
    after = head.people, head.engaged_people, head.engagement_micro // SHOWN_STEP_MICRO, senior
    if before == after and head.version == reference.version:
        return head, ()
    scored = AccountScored(
        account_id=account_id,
        people=head.people,
        engaged_people=head.engaged_people,
        engagement_micro=head.engagement_micro,
        most_senior_role=senior,
        at_ms=now,
        cause_id=cause,
        agreement=reference.version,
    )
    shown = replace(head, shown_micro=head.engagement_micro, version=reference.version)
    return shown, (Fact(SCORED, account_id, scored),)

"""goals, per goal: what both sides owe in a period, with pace, a forecast in mid-period, and the
verdict at its end.

What counts where is :mod:`.counting`'s. A period is closed only when everything appended before its
end is known. One violation a period at most: the forecast, or the miss; a
forecast that turns out wrong is withdrawn.
"""

from collections.abc import Iterable

from baton.agreement.reference import AgreementReference
from baton.contracts.goals import GOAL_ENDED, GoalTally
from baton.contracts.topic_names import GOALS_PROGRESS, LEADS_SLA_VIOLATIONS, SLA_TALLIES
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from baton.evolve import evolve
from services.sla_watcher.goals.account import Account
from services.sla_watcher.goals.periods import period_named
from services.sla_watcher.goals.state import COUNTED, JOINED, GoalBook


class Goals(Reducer[GoalBook, AgreementReference]):
    """The reducer; see the module."""

    name = "goals"
    service = "sla_watcher"
    inputs = (SLA_TALLIES,)
    outputs = (GOALS_PROGRESS, LEADS_SLA_VIOLATIONS)
    head_type = GoalBook
    entry_kinds = (COUNTED, JOINED)
    upstream = (
        "admit",
        "identify",
        "lead",
        "dispatch",
        "matching",
        "assignment",
        "workload",
        "clocks",
    )
    adopts = True

    def keys_of(self, reference: AgreementReference) -> Iterable[str]:
        """A goal is there from the agreement on, whether or not anything ever counts towards it."""
        return reference.agreement.goals

    def step(
        self, view: View[GoalBook], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[GoalBook]:
        """Count one tally, or join two leads that are one person."""
        tally: GoalTally = event.value
        goal = reference.agreement.goals.get(view.key)
        if goal is None:
            return Step(head=view.head, wake_at=view.wake_at)
        account = Account(view, goal, reference, now)
        if not account.take(tally):
            return Step(head=view.head, wake_at=view.wake_at)
        return account.step()

    def wake(
        self, view: View[GoalBook], *, now: int, reference: AgreementReference
    ) -> Step[GoalBook]:
        """A working day begins, or a period is over."""
        goal = reference.agreement.goals.get(view.key)
        if goal is None or view.head is None:
            return Step(head=view.head)
        account = Account(view, goal, reference, now)
        account.look(proven=view.proven)
        return account.step()

    def adopt(
        self, view: View[GoalBook], *, old: str, new: AgreementReference, now: int
    ) -> Step[GoalBook]:
        """The goal as it is now agreed; what was counted stays. One that is agreed no more ends,
        and says so."""
        goal = new.agreement.goals.get(view.key)
        if goal is not None:
            account = Account(view, goal, new, now)
            account.publish_progress(period_named(account.book.period))
            return account.step()
        if view.head is None or view.head.gone:
            return Step(head=view.head)
        return Step(
            head=evolve(view.head, gone=True), facts=_ended(view, view.head, new.version, now)
        )


def _ended(view: View[GoalBook], book: GoalBook, version: str, now: int) -> tuple[Fact, ...]:
    last = book.published
    if last is None:
        return ()
    ended = evolve(last, state=GOAL_ENDED, at_ms=now, cause_id=view.cause, agreement=version)
    return (Fact(GOALS_PROGRESS, view.key, ended),)

"""The step of the lead reducer under construction: the head as it will be, the score's derived
parts, the state of the cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement, FitResult
from baton.agreement.reference import AgreementReference
from baton.contracts.intake import LeadAct, LeadCommand
from baton.contracts.leads import LeadAmended, LeadQualified, LeadRefused, LeadStaged
from baton.contracts.streams import LeadDecision, LeadMove
from baton.contracts.topic_names import (
    LEADS_QUALIFIED,
    LEADS_REFUSALS,
    LEADS_STAGES,
    SCORER_LEADS,
)
from baton.engine.reducer import EntryKind, Fact, Step, View
from baton.engine.step_builder import StepBuilder
from baton.evolve import evolve
from services.scorer.lead.cycle_state import NO_CYCLE, CycleState
from services.scorer.lead.state import (
    CYCLE_STATE,
    ENTRY_KINDS,
    NO_HEAD,
    ONLY,
    PROFILE,
    LeadHead,
    ProfileBook,
)
from services.scorer.score.entry_counting import counted
from services.scorer.score.group_totals import folded, holds, prune_at
from services.scorer.score.rule_table import ScoreTable, table_of

_DECISIONS: Final = frozenset({LEADS_STAGES, LEADS_QUALIFIED, LEADS_REFUSALS})


class LeadStep(StepBuilder[LeadHead]):
    """``head`` is the lead as it will be, ``former`` as it was; ``cause`` what new ids derive from;
    ``received_at_ms`` when the cause reached the log. ``falls_at_ms``: when the lead changes by
    itself, if it ``was_rated``. ``role_moved``: its role in the account has to be published.
    ``explains``: whether anything but qualifications is published; ``holds``: what qualifies does
    not cool.
    ``act``, ``command``: what a person did or wants, to be passed on with what is decided.
    ``amended``: see :mod:`.amendments`."""

    def __init__(
        self,
        view: View[LeadHead],
        *,
        now: int,
        reference: AgreementReference,
        received_at_ms: int | None = None,
        explains: bool = True,
        holds: bool = False,
    ) -> None:
        super().__init__(view, now=now)
        self.explains = explains
        self.holds = holds
        self.lead_id = view.key
        self.received_at_ms = now if received_at_ms is None else received_at_ms
        self.former = view.head
        self.head = self.former or NO_HEAD
        self._reference = reference
        self.agreement: CompiledAgreement = self._scoring()
        self.table: ScoreTable = table_of(self.agreement)
        self.falls_at_ms: int | None = None
        self.was_rated = False
        self.role_moved = False
        self.act: LeadAct | None = None
        self.command: LeadCommand | None = None
        self.amended: LeadAmended | None = None
        self._plain: tuple[ProfileBook | None, dict[str, str]] = (None, {})
        self._fit: tuple[object, CompiledAgreement, FitResult] | None = None

    def _scoring(self) -> CompiledAgreement:
        return self._reference.scoring_of(self.head.account_id or self.lead_id)

    def enter_account(self, account_id: str | None) -> None:
        """The lead is one of this account, which a challenger may score in another way."""
        self.head = evolve(self.head, account_id=account_id)
        scoring = self._scoring()
        if scoring is not self.agreement:
            self.agreement, self.table = scoring, table_of(scoring)
            self.recount()

    def forget_entries(self) -> None:
        """Remove every entry of the lead."""
        kinds: tuple[EntryKind[Any], ...] = ENTRY_KINDS
        for kind in kinds:
            for item, _ in self.items(kind):
                self.drop(kind, item)

    def recount(self) -> None:
        """Derive anew which entries of the ledger count."""
        head = self.head
        derived = counted(head.ledger, head.retracted, head.since_ms, self.table, self.now)
        self.head = evolve(head, ledger=derived.ledger, marks=derived.marks, totals=derived.totals)

    def refold(self) -> None:
        """Sum anew where an entry has left its window since."""
        head = self.head
        if head.totals and not holds(head.totals, self.now):
            totals = folded(head.marks, self.table, self.now, prune_at_ms=prune_at(head.totals))
            self.head = evolve(head, totals=totals)

    @property
    def cycle_state(self) -> CycleState:
        """The state of the present cycle."""
        return self.get(CYCLE_STATE, ONLY) or NO_CYCLE

    def update_cycle(self, **changes: Any) -> CycleState:
        """Change the state of the present cycle."""
        cycle_state = evolve(self.cycle_state, **changes)
        self.put(CYCLE_STATE, ONLY, cycle_state)
        return cycle_state

    def update_work(self, **changes: Any) -> None:
        """Change the qualification that stands; where there is none, sales took the lead up by
        themselves."""
        self.update_cycle(qualification=evolve(self.cycle_state.work, **changes))

    @property
    def profile(self) -> dict[str, str]:
        """The profile in force; not to be changed."""
        book = self.get(PROFILE, ONLY)
        if self._plain[0] is not book:
            self._plain = (book, {} if book is None else book.plain())
        return self._plain[1]

    def put_profile(self, book: ProfileBook, plain: dict[str, str]) -> None:
        """Put another profile in place; ``plain``: its values."""
        if book.values:
            self.put(PROFILE, ONLY, book)
            self._plain = (self.get(PROFILE, ONLY), plain)
        else:
            self.drop(PROFILE, ONLY)  # as if nothing had ever been reported

    @property
    def fit(self) -> FitResult:
        """The fit of the profile in force, under the agreement that scores the lead."""
        profile, known = self.profile, self._fit
        if known is None or known[0] is not profile or known[1] is not self.agreement:
            known = self._fit = (profile, self.agreement, self.agreement.fit.evaluate(profile))
        return known[2]

    def finish(self) -> Step[LeadHead]:
        """The outcome, with all that was decided as one record for the other services."""
        if self.explains:
            self._publish_decision()
        return self.build(self.head, self._wake_at())

    def _publish_decision(self) -> None:
        decided = [fact for fact in self._facts if fact.topic in _DECISIONS]
        moves = tuple(moves_of(decided))
        refused = next(
            (fact.value for fact in decided if isinstance(fact.value, LeadRefused)), None
        )
        if not (moves or refused or self.act or self.command or self.amended):
            return
        decision = LeadDecision(
            lead_id=self.lead_id,
            at_ms=self.now,
            act=self.act,
            command=self.command,
            moves=moves,
            refused=refused,
            amended=self.amended,
        )
        self.publish(SCORER_LEADS, decision)

    def _wake_at(self) -> int | None:
        """When the lead changes by itself. A step that did not score does not change that."""
        if self.head.ended:
            return None
        wake_at = self.falls_at_ms if self.was_rated else self.view.wake_at
        settling = self.head.settling
        if settling is None:
            return wake_at
        return settling.until_ms if wake_at is None else min(wake_at, settling.until_ms)

    def unchanged(self) -> Step[LeadHead]:
        """Nothing happened."""
        return Step(head=self.former, wake_at=self.view.wake_at)


def moves_of(facts: Iterable[Fact]) -> Iterator[LeadMove]:
    """The moves that a step publishes, in order, each with the qualification that came of it: that
    is published right after its move."""
    staged: LeadStaged | None = None
    for fact in facts:
        if isinstance(fact.value, LeadStaged):
            if staged is not None:
                yield LeadMove(staged=staged)
            staged = fact.value
        elif isinstance(fact.value, LeadQualified):
            assert staged is not None, "a qualification is published after its move"
            yield LeadMove(staged=staged, qualified=fact.value)
            staged = None
    if staged is not None:
        yield LeadMove(staged=staged)

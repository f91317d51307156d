"""The states of leads as the scorer keeps them, read from its changelog: for the examples of an
agreement and for its impact.

The changelog may be the one in memory or the cluster's; nothing is written anywhere.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import AgreementBook
from baton.contracts.codec import codec_for
from baton.contracts.leads import Contribution
from baton.contracts.topics import changelog_topic
from baton.engine.core import Core
from baton.engine.key_state import KeyState, Shape
from baton.engine.reducer import Reducer
from baton.engine.store import MemoryStore
from baton.flow import service_of
from services.scorer.score.explanation import explanation
from services.scorer.score.rule_table import table_of

LEAD = "lead"
_ALL_LINES = 1_000


class Score(NamedTuple):
    """A lead's numbers at a moment; points in millionths."""

    fit_micro: int
    engagement_micro: int
    level: str
    grade: str


class LeadStates:
    """Every lead's state, as far as the changelog was read."""

    def __init__(self) -> None:
        self.reducer: Reducer[Any, Any] = next(
            reducer for reducer in service_of("scorer").reducers if reducer.name == LEAD
        )
        self._store = MemoryStore()
        self._core = Core(self.reducer, AgreementBook(), store=self._store)
        self._shape = Shape(self.reducer, codec_for)

    @property
    def topic(self) -> str:
        """The changelog to read."""
        return changelog_topic(LEAD)

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take records (key, value) of the changelog, in the order of each partition."""
        for key, value in records:
            self._core.restore(key, value)

    def leads(self) -> Iterator[KeyState]:
        """A view of every lead; throw it away after use, or what was done to it stays."""
        for key in list(self._store.keys()):
            yield self.lead(key)

    def lead(self, key: str) -> KeyState:
        """A view of one lead."""
        return KeyState(key, self._store, self._shape)

    def __len__(self) -> int:
        return len(self._store)


def lines_at(head: Any, agreement: CompiledAgreement, at_ms: int) -> tuple[Contribution, ...]:
    """What the engagement of a lead's head is made of at ``at_ms``; the lines add up to it."""
    return explanation(head.ledger, head.marks, table_of(agreement), at_ms, top=_ALL_LINES).lines


def score_at(head: Any, agreement: CompiledAgreement, at_ms: int) -> Score:
    """The score of a lead's head at ``at_ms``, decayed to that moment; the level is the one it
    has."""
    engagement = explanation(head.ledger, head.marks, table_of(agreement), at_ms).engagement_micro
    grade = agreement.levels.grade(head.fit_micro, engagement)
    return Score(
        fit_micro=head.fit_micro, engagement_micro=engagement, level=head.level, grade=grade
    )

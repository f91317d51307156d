"""What each public record adds to the board: record -> rows, one line a topic. Pure, total over
the topics of :data:`FOLDS`.

Every row has a key of its own, so a record that comes twice changes nothing, and rows of several
topics never wait for each other: an acceptance may come before the hand-off it answers. Direct
identifiers go to ``person`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import (
    ACCOUNTS_SCORED,
    BATON_AGREEMENTS,
    BATON_CAMPAIGNS,
    BATON_PEOPLE,
    BOARD_DECISIONS,
    GOALS_PROGRESS,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_AMENDMENTS,
    LEADS_HANDOFFS,
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_MERGES,
    LEADS_ORPHANS,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_SLA_ACTIONS,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_DIGESTS,
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from services.insights.facts.change import Change, Forget, kept_fact, row_of
from services.insights.facts.flow_folds import (
    fold_amended,
    fold_clock_changed,
    fold_qualified,
    fold_recycled,
    fold_routed,
    fold_staged,
)
from services.insights.facts.flow_tables import (
    NOTE,
    ORPHAN,
    REACTIVATED,
    REFUSAL,
    UNROUTED,
)
from services.insights.facts.intake_folds import (
    fold_accepted,
    fold_acted,
    fold_merged,
    fold_person_known,
    fold_referenced,
)
from services.insights.facts.level_tables import ACCOUNT, ACTION, DIGEST, GOAL, VIOLATION
from services.insights.facts.meeting_tables import CAMPAIGN_COST, DECISION
from services.insights.facts.table import Table

Fold = Callable[[PublicRecord, Any], Iterator[Change]]


def one_row(table: Table, *, keeps: bool = False, **renamed: str) -> Fold:
    """A record is one row: columns are its fields of the same names, or of those in ``renamed``.
    ``keeps``: the record is kept too, for the lead's page and row."""

    def fold(taken: PublicRecord, record: Any) -> Iterator[Change]:
        given = {column: getattr(record, name) for column, name in renamed.items()}
        yield row_of(table, taken, record, **given)
        if keeps:
            yield from kept_fact(taken, record.lead_id, record)

    return fold


def fold_scored(taken: PublicRecord, scored: Any) -> Iterator[Change]:
    """Kept; the lead's row has the latest."""
    yield from kept_fact(taken, scored.lead_id, scored)


FOLDS: Final[Mapping[str, Fold]] = {
    LEADS_ACCEPTED: fold_accepted,
    LEADS_ACTS: fold_acted,
    LEADS_PERSONS: fold_person_known,
    LEADS_MERGES: fold_merged,
    LEADS_SCORED: fold_scored,
    LEADS_QUALIFIED: fold_qualified,
    LEADS_STAGES: fold_staged,
    LEADS_AMENDMENTS: fold_amended,
    LEADS_ROUTED_SDR: fold_routed,
    LEADS_ROUTED_SALES: fold_routed,
    LEADS_UNROUTED: one_row(UNROUTED, keeps=True),
    LEADS_HANDOFFS: one_row(NOTE, keeps=True, by_person="by"),
    LEADS_SLA_CLOCKS: fold_clock_changed,
    LEADS_SLA_VIOLATIONS: one_row(VIOLATION),
    LEADS_SLA_ACTIONS: one_row(ACTION, to_person="to"),
    LEADS_SLA_DIGESTS: one_row(DIGEST, to_person="to"),
    LEADS_RECYCLED: fold_recycled,
    LEADS_REACTIVATED: one_row(REACTIVATED, keeps=True),
    LEADS_REFUSALS: one_row(REFUSAL, by_person="by"),
    LEADS_ORPHANS: one_row(ORPHAN),
    GOALS_PROGRESS: one_row(GOAL),
    ACCOUNTS_SCORED: one_row(ACCOUNT),
    BATON_AGREEMENTS: fold_referenced,
    BATON_PEOPLE: fold_referenced,
    BATON_CAMPAIGNS: one_row(CAMPAIGN_COST),
    BOARD_DECISIONS: one_row(DECISION, by_person="by"),
}
"""By topic: every public topic but the inbox, the commands and the dead letters
(``leads.commands.v1`` is answered by what follows it)."""

DEAD_LETTERS: Final = LEADS_INBOX_DEAD_LETTERS
"""Read too: only reason and place are kept."""


def changes_of(taken: PublicRecord) -> Iterator[Change]:
    """Every row that the record adds; nothing for a tombstone, but of ``leads.persons.v1``."""
    if taken.value is None:
        if taken.topic == LEADS_PERSONS:
            yield Forget(taken.key)
        return
    yield from FOLDS[taken.topic](taken, taken.value)

"""What each public record adds to the board: record -> rows, one function a topic. Pure, total over
the topics of :data:`FOLDS`.

Every row has a key of its own, so a record that comes twice changes nothing, and rows of several
topics never wait for each other: an acceptance may come before the hand-off it answers. Direct
identifiers go to ``person`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from baton.contracts.topic_names import (
    ACCOUNTS_SCORED,
    BATON_AGREEMENTS,
    BATON_PEOPLE,
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
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from services.insights.facts.change import Change, Forget, Taken
from services.insights.facts.flow_folds import (
    fold_amended,
    fold_noted,
    fold_orphaned,
    fold_qualified,
    fold_reactivated,
    fold_recycled,
    fold_refused,
    fold_routed,
    fold_scored,
    fold_staged,
    fold_unrouted,
)
from services.insights.facts.intake_folds import (
    fold_accepted,
    fold_acted,
    fold_merged,
    fold_person_known,
    fold_referenced,
)
from services.insights.facts.level_folds import (
    fold_account_scored,
    fold_clock_changed,
    fold_goal_progressed,
    fold_stepped,
    fold_violated,
)

Fold = Callable[[Taken, Any], Iterator[Change]]

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
    LEADS_UNROUTED: fold_unrouted,
    LEADS_HANDOFFS: fold_noted,
    LEADS_SLA_CLOCKS: fold_clock_changed,
    LEADS_SLA_VIOLATIONS: fold_violated,
    LEADS_SLA_ACTIONS: fold_stepped,
    LEADS_RECYCLED: fold_recycled,
    LEADS_REACTIVATED: fold_reactivated,
    LEADS_REFUSALS: fold_refused,
    LEADS_ORPHANS: fold_orphaned,
    GOALS_PROGRESS: fold_goal_progressed,
    ACCOUNTS_SCORED: fold_account_scored,
    BATON_AGREEMENTS: fold_referenced,
    BATON_PEOPLE: fold_referenced,
}
"""By topic: every public topic but the inbox, the commands and the dead letters
(``leads.commands.v1`` is answered by what follows it)."""

DEAD_LETTERS: Final = LEADS_INBOX_DEAD_LETTERS
"""Read too: only reason and place are kept."""


def changes_of(taken: Taken) -> Iterator[Change]:
    """Every row that the record adds; nothing for a tombstone, but of ``leads.persons.v1``."""
    if taken.value is None:
        if taken.topic == LEADS_PERSONS:
            yield Forget(taken.key)
        return
    yield from FOLDS[taken.topic](taken, taken.value)

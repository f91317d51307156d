"""What became of the lead of an example, in the words in which an example expects it."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from baton.agreement.model.examples import NOBODY
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadPerson
from baton.contracts.leads import LeadQualified, LeadRefused, LeadStaged, Stage
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadRecycled, SlaClock
from baton.contracts.topic_names import (
    LEADS_HANDOFFS,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_CLOCKS,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from baton.engine.memory import Stored

_RECORDS: Final[dict[str, Any]] = {
    LEADS_PERSONS: LeadPerson,
    LEADS_QUALIFIED: LeadQualified,
    LEADS_STAGES: LeadStaged,
    LEADS_REFUSALS: LeadRefused,
    LEADS_ROUTED_SDR: LeadRouted,
    LEADS_ROUTED_SALES: LeadRouted,
    LEADS_UNROUTED: LeadUnrouted,
    LEADS_HANDOFFS: HandoffNoted,
    LEADS_RECYCLED: LeadRecycled,
    LEADS_SLA_CLOCKS: SlaClock,
}
_AT_REST = (Stage.RECYCLED, Stage.DISQUALIFIED)


def read(stored: Iterable[Stored]) -> list[Any]:
    """The records that say something of a lead."""
    records = ((_RECORDS.get(record.topic), record.value) for record in stored)
    return [
        codec_for(record).decode(value)
        for record, value in records
        if record is not None and value is not None
    ]


def lead_of(facts: Iterable[Any]) -> str | None:
    """The lead of the example: the first of whom anything is known. Visitors are others, until they
    are joined with it."""
    return next((fact.lead_id for fact in facts if isinstance(fact, LeadPerson)), None)


def handed_over(facts: Iterable[Any], moment_words: Callable[[int], str]) -> dict[str, str]:
    """Whether the lead qualified, for which queue, and the pool and deadline of its first
    hand-off."""
    found = {"qualified": "no"}
    for fact in facts:
        match fact:
            case LeadQualified():
                found["qualified"] = "yes"
                found.setdefault("queue", fact.leg)
            case LeadRouted():
                found.setdefault("pool", fact.pool)
            case LeadUnrouted() if fact.pool:
                found.setdefault("pool", fact.pool)
            case SlaClock(clock="accept"):
                found.setdefault("deadline", moment_words(fact.deadline_ms))
    return found


def as_it_stands(facts: Iterable[Any], moment_words: Callable[[int], str]) -> dict[str, str]:
    """The stage of the lead, who has it, when it comes back, and why an act was refused last."""
    stage, owner, handoff = Stage.INQUIRY.value, NOBODY, None
    more: dict[str, str] = {}
    for fact in facts:
        match fact:
            case LeadStaged():
                stage = fact.to_stage
                owner = NOBODY if stage in _AT_REST else owner
                if stage not in _AT_REST:
                    more.pop("returns", None)
            case LeadRouted():
                owner, handoff = fact.owner, fact.handoff_id
            case LeadUnrouted():
                owner, handoff = fact.watcher or NOBODY, fact.handoff_id
            case HandoffNoted(kind=HandoffKind.WITHDRAWN) if fact.handoff_id == handoff:
                owner = NOBODY
            case LeadRecycled() if fact.return_at_ms is not None:
                more["returns"] = moment_words(fact.return_at_ms)
            case LeadRefused():
                more["refused"] = fact.reason
    return {"stage": stage, "owner": owner, **more}

"""A lead's scores and moves against what was accepted of it: nothing counted that was not accepted,
no verdict left unanswered.

Pure: all records of a lead and the agreements go in, findings come out. What a merge, a
separation or an erasure changes is left to the computing again: scores are looked at until then,
and the verdicts that only one of the two leads knows of are passed over.
"""

from collections.abc import Callable, Sequence
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.intake import (
    ActKind,
    EventKind,
    LeadAct,
    LeadEvent,
    LeadInput,
    LeadMerge,
)
from baton.contracts.leads import LeadRefused, LeadScored, LeadStaged, StageEvent
from baton.proof.audit.findings import Add, Dated, Finding, Invariant
from baton.proof.audit.scores import TOLERANCE_MICRO, Engagement

Agreements = Callable[[str], CompiledAgreement | None]
"""The agreement of a version, as it was published."""

FIRST_CYCLE = 1
_VERDICTS = frozenset(
    {
        ActKind.ACCEPTED,
        ActKind.REJECTED,
        ActKind.QUALIFIED,
        ActKind.RECYCLED,
        ActKind.DISQUALIFIED,
        ActKind.OPPORTUNITY,
        ActKind.WON,
        ActKind.LOST,
    }
)

_CARRIED_OUT = _VERDICTS - {ActKind.RECYCLED, ActKind.DISQUALIFIED}
"""What an act brings about by itself; what ends a cycle may be the SLA watcher's decision on a
verdict."""


def check_history(
    lead_id: str,
    records: Sequence[Dated],
    agreements: Agreements,
    *,
    until_ms: int,
    grace_ms: int,
    add: Add,
) -> int:
    """All records of one lead in the order of appending; how many scores were computed."""
    merged = [record for record in records if isinstance(record.value, LeadMerge)]
    beyond = [
        record.at_ms
        for record in records
        if isinstance(record.value, LeadEvent) and record.value.kind == EventKind.ERASURE
    ]
    parted = [
        record.at_ms
        for record in records
        if isinstance(record.value, LeadInput) and record.value.separation is not None
    ]
    takes_over = any(record.value.survivor == lead_id for record in merged)
    ends = any(record.value.loser == lead_id for record in merged) or bool(beyond)
    _check_verdicts(
        records, invented=not takes_over, unanswered=not ends, until_ms=until_ms - grace_ms, add=add
    )
    first = min([*beyond, *parted, *(record.at_ms for record in merged)], default=None)
    return _check_scores(
        [record for record in records if first is None or record.at_ms < first], agreements, add
    )


def _check_scores(records: Sequence[Dated], agreements: Agreements, add: Add) -> int:
    """Each score is that of the events that it may know."""
    accepted = _as_heard(records)
    places = {record.value.event_id: number for number, record in enumerate(accepted, start=1)}
    values = [dated.value for dated in accepted]
    models: dict[str, Engagement] = {}
    known = checked = 0
    for record in records:
        if not isinstance(record.value, LeadScored) or record.value.cycle != FIRST_CYCLE:
            continue
        agreement = agreements(record.value.agreement)
        if agreement is None:
            continue
        checked += 1
        if (model := models.get(record.value.agreement)) is None:
            model = models[record.value.agreement] = Engagement(agreement)
        cause = places.get(record.value.cause_id)
        sums = {
            number: model.micro(values[:number], record.value.scored_at_ms)
            for number in _may_know(record, accepted, known if cause is None else cause, cause)
        }
        fitting = [
            number
            for number, total in sums.items()
            if abs(total - record.value.engagement_micro) <= TOLERANCE_MICRO
        ]
        if not fitting:
            words = (
                f"the accepted events give {sorted(set(sums.values()))} micro points, the score "
                f"says {record.value.engagement_micro}"
            )
            add(Finding(invariant=Invariant.SCORES, words=words, place=record.place))
        known = max(known, min(fitting, default=cause or known))
    return checked


def _as_heard(records: Sequence[Dated]) -> list[Dated]:
    """The accepted events in the order, and at the moments, in which the lead's own stream has
    them: two tasks of intake that write at once may leave them on the public topic in another.
    What the stream does not have any more stands by its own moment."""
    heard = {
        record.value.event.event_id: (record.at_ms, record.place.offset)
        for record in records
        if isinstance(record.value, LeadInput) and record.value.event is not None
    }
    placed = [
        (*heard.get(record.value.event_id, (record.at_ms, 0)), record)
        for record in records
        if isinstance(record.value, LeadEvent)
    ]
    placed.sort(key=lambda found: found[:2])
    return [
        Dated(at_ms=at_ms, place=record.place, value=record.value) for at_ms, _, record in placed
    ]


def _may_know(
    scored: Dated, accepted: Sequence[Dated], least: int, cause: int | None
) -> Sequence[int]:
    """How many of the accepted events the score may know: those up to its ``cause``, if it was made
    when that came. A decision that waited for its event's form, or for what a lead still lacks,
    knows what came meanwhile, and so may a score of another cause; none knows what came later."""
    if cause is not None and scored.value.scored_at_ms <= accepted[cause - 1].at_ms:
        return (cause,)
    by_then = sum(dated.at_ms <= scored.at_ms for dated in accepted)
    return range(least, max(least, by_then) + 1)


_DEAL_MOVES: Final = frozenset({StageEvent.DEAL_CHANGED, StageEvent.REOPENED})
_ANSWERED: Final = _VERDICTS | {ActKind.DEAL, ActKind.REOPENED}


def _check_verdicts(
    records: Sequence[Dated], *, invented: bool, unanswered: bool, until_ms: int, add: Add
) -> None:
    """``invented``: whether all that was reported of the lead is here. ``unanswered``: whether it
    answers for itself to the end."""
    given = {
        record.value.event_id: record for record in records if isinstance(record.value, LeadAct)
    }
    answered: set[str] = set()
    for record in records:
        match record.value:
            case LeadStaged() if record.value.event in _DEAL_MOVES:
                answered.add(record.value.cause_id)
            case LeadStaged() if record.value.event in _VERDICTS and record.value.by is not None:
                answered.add(record.value.cause_id)
                reported = record.value.cause_id in given or record.value.event not in _CARRIED_OUT
                if invented and not reported:
                    words = f"{record.value.event} by {record.value.by}, which nobody reported"
                    add(Finding(invariant=Invariant.ANSWERED, words=words, place=record.place))
            case LeadRefused():
                answered.add(record.value.cause_id)
    for event_id, record in given.items():
        due = unanswered and record.value.act.kind in _ANSWERED and record.at_ms < until_ms
        if due and event_id not in answered:
            words = (
                f"{record.value.act.kind} by {record.value.act.by} neither moved the lead nor was "
                "refused"
            )
            add(Finding(invariant=Invariant.ANSWERED, words=words, place=record.place))

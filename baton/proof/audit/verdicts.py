"""What counts towards goals against the moves of the lead: nothing counts that did not happen, and
what happened counts.

Pure: all records of one lead go in, findings come out. Money (pipeline, amounts won) is not looked
at here.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.goals import GoalTally
from baton.contracts.intake import LeadMerge
from baton.contracts.leads import LeadQualified, LeadStaged, Stage, StageEvent
from baton.proof.audit.findings import Add, Dated, Finding, Invariant

Agreements = Callable[[str], CompiledAgreement | None]
_METRICS: Final[Mapping[str, str]] = {
    Stage.SAL: "sal",
    Stage.SQL: "sql",
    Stage.OPPORTUNITY: "opportunity",
    Stage.CUSTOMER: "won",
}
_COUNT: Final = frozenset(
    {StageEvent.ACCEPTED, StageEvent.QUALIFIED, StageEvent.OPPORTUNITY, StageEvent.WON}
)


def check_verdicts(
    records: Sequence[Dated], agreements: Agreements, *, until_ms: int, add: Add
) -> None:
    """Each metric counts once for every cycle in which the lead came to its stage. ``until_ms``:
    what is later may not be counted yet."""
    reached: dict[str, dict[int, Dated]] = defaultdict(dict)
    for record in records:
        match record.value:
            case LeadQualified(stage="mql"):
                reached["mql"].setdefault(record.value.cycle, record)
            case LeadStaged() if record.value.event in _COUNT:
                for stage in (*record.value.inferred, record.value.to_stage):
                    if stage in _METRICS:
                        reached[_METRICS[stage]].setdefault(record.value.cycle, record)
    counted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records:
        tally = record.value
        if not isinstance(tally, GoalTally) or tally.metric not in ("mql", *_METRICS.values()):
            continue
        if tally.amount < 0:
            continue  # a win that was taken back counts no more: the goal's sum shows it
        counted[tally.goal, tally.metric].add(tally.tally_id)
        if len(counted[tally.goal, tally.metric]) > len(reached[tally.metric]):
            words = f"counts as {tally.metric} towards {tally.goal}, and the lead made no such move"
            add(Finding(invariant=Invariant.VERDICTS, words=words, place=record.place))
    _check_taken_back(records, add)
    if not any(isinstance(record.value, LeadMerge) for record in records):
        _check_uncounted(reached, counted, agreements, until_ms, add)


def _check_taken_back(records: Sequence[Dated], add: Add) -> None:
    """A win is taken back where somebody said that it was none."""
    said = [record for record in records if _is_reopened(record.value)]
    back = [
        record
        for record in records
        if isinstance(record.value, GoalTally) and record.value.amount < 0
        if record.value.metric == "won"
    ]
    for goal in {record.value.goal for record in back}:
        mine = [record for record in back if record.value.goal == goal]
        if len(mine) > len(said):
            words = f"a win is taken out of {goal}, and nobody said that it was none"
            add(Finding(invariant=Invariant.VERDICTS, words=words, place=mine[-1].place))


def _is_reopened(value: object) -> bool:
    return isinstance(value, LeadStaged) and value.event == StageEvent.REOPENED


def _check_uncounted(
    reached: Mapping[str, Mapping[int, Dated]],
    counted: Mapping[tuple[str, str], set[str]],
    agreements: Agreements,
    until_ms: int,
    add: Add,
) -> None:
    """Goals for all segments only: which segment a lead is in is a rule's word, not a fact's."""
    for metric, cycles in reached.items():
        versions = {record.value.agreement for record in cycles.values()}
        agreement = agreements(next(iter(versions))) if len(versions) == 1 else None
        if agreement is None:
            continue
        goals = [
            goal.name
            for goal in agreement.goals.values()
            if goal.metric == metric and goal.segment is None
        ]
        due = [record for record in cycles.values() if record.at_ms < until_ms]
        for goal in goals:
            if len(counted.get((goal, metric), ())) < len(due):
                words = f"the lead came to {metric} and nothing counts towards {goal}"
                add(Finding(invariant=Invariant.VERDICTS, words=words, place=due[-1].place))

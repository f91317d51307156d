"""Records in words: one sentence a record, for people who ask what happened to a lead. Pure."""

from dataclasses import dataclass
from typing import Any, assert_never

from baton.contracts.intake import (
    Engagement,
    LeadAct,
    LeadCommand,
    LeadEvent,
    LeadMerge,
    LeadPerson,
)
from baton.contracts.leads import (
    Contribution,
    Criterion,
    LeadAmended,
    LeadQualified,
    LeadRefused,
    LeadScored,
    LeadStaged,
)
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import (
    LeadOrphan,
    LeadReactivated,
    LeadRecycled,
    SlaAction,
    SlaClock,
    SlaViolation,
)

StoryRecord = (
    LeadEvent
    | LeadAct
    | LeadCommand
    | LeadPerson
    | LeadMerge
    | LeadScored
    | LeadQualified
    | LeadStaged
    | LeadRefused
    | LeadAmended
    | LeadRouted
    | LeadUnrouted
    | HandoffNoted
    | SlaClock
    | SlaViolation
    | SlaAction
    | LeadRecycled
    | LeadReactivated
    | LeadOrphan
)

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What happened (``about`` is one word for it) and the lines that explain it."""

    about: str
    text: str
    because: tuple[str, ...] = ()


def points(micro: int) -> str:
    """Points as people write them: ``12.5``, to a thousandth."""
    return f"{micro / _MICRO:.3f}".rstrip("0").rstrip(".")


def sentence_of(value: StoryRecord) -> Sentence:
    """The sentence for one record."""
    match value:
        case LeadEvent() | LeadAct() | LeadCommand() | LeadPerson() | LeadMerge():
            return _input_sentence(value)
        case LeadScored() | LeadQualified() | LeadStaged() | LeadRefused() | LeadAmended():
            return _scoring_sentence(value)
        case LeadRouted() | LeadUnrouted() | HandoffNoted():
            return _routing_sentence(value)
        case (
            SlaClock()
            | SlaViolation()
            | SlaAction()
            | LeadRecycled()
            | LeadReactivated()
            | LeadOrphan()
        ):
            return _service_level_sentence(value)
        case _:
            assert_never(value)


def _input_sentence(value: LeadEvent | LeadAct | LeadCommand | LeadPerson | LeadMerge) -> Sentence:
    match value:
        case LeadEvent(engagement=Engagement() as engagement):
            title = f" “{engagement.content_title}”" if engagement.content_title else ""
            campaign = f", campaign {engagement.campaign}" if engagement.campaign else ""
            return Sentence(
                about="engaged",
                text=f"{engagement.act}{title}{campaign} (from {value.source})",
                because=_marks(value),
            )
        case LeadEvent(consent=consent) if consent is not None:
            verdict = "gives" if consent.granted else "withdraws"
            return Sentence(
                about="consent",
                text=f"{verdict} consent for {consent.purpose} by {consent.channel}",
            )
        case LeadEvent(retracts=retracted) if retracted is not None:
            return Sentence(about="retracted", text=f"event {retracted} did not happen")
        case LeadEvent():
            fields = ", ".join(f"{name}={found}" for name, found in sorted(value.profile.items()))
            return Sentence(about=value.kind, text=fields or value.kind, because=_marks(value))
        case LeadAct():
            reason = f": {value.act.reason}" if value.act.reason else ""
            how = " (automatic)" if value.act.automatic else ""
            return Sentence(about="act", text=f"{value.act.by} {value.act.kind}{reason}{how}")
        case LeadCommand():
            to = value.command.to_person or value.command.to_pool
            return Sentence(
                about="command",
                text=f"{value.command.by} asks to {value.command.kind}{f' to {to}' if to else ''}",
            )
        case LeadPerson():
            return Sentence(
                about="person", text="erased" if value.erased else "personal details arrived"
            )
        case LeadMerge():
            return Sentence(
                about="merged", text=f"lead {value.loser} continues as {value.survivor}"
            )


def _marks(value: LeadEvent) -> tuple[str, ...]:
    marks = (
        ("its time lay in the future and was set to the time of receipt",) if value.clamped else ()
    )
    return (*marks, "sent as backfill: does not fast-track") if value.backfill else marks


def _scoring_sentence(
    value: LeadScored | LeadQualified | LeadStaged | LeadRefused | LeadAmended,
) -> Sentence:
    match value:
        case LeadScored() | LeadQualified() | LeadAmended():
            return _rating_sentence(value)
        case LeadStaged():
            reason = f" because {value.reason}" if value.reason else ""
            by = f" by {value.by}" if value.by else f" by the {value.actor}"
            skipped = (f"inferred: {', '.join(value.inferred)}",) if value.inferred else ()
            return Sentence(
                about="stage",
                text=f"{value.from_stage} -> {value.to_stage}: {value.event}{by}{reason}",
                because=skipped,
            )
        case LeadRefused():
            return Sentence(
                about="refused",
                text=(
                    f"{value.event} in stage {value.stage} by {value.by or value.actor}: "
                    f"{value.reason}"
                ),
                because=(value.detail,) if value.detail else (),
            )


def _rating_sentence(value: LeadScored | LeadQualified | LeadAmended) -> Sentence:
    match value:
        case LeadScored():
            numbers = f"fit {points(value.fit_micro)}, engagement {points(value.engagement_micro)}"
            because = tuple(contribution_line(contribution) for contribution in value.contributions)
            criteria = tuple(criterion_line(criterion) for criterion in value.criteria)
            return Sentence(
                about="scored",
                text=f"{numbers} -> {value.grade} {value.level} ({value.level_reason})",
                because=(*because, *criteria),
            )
        case LeadQualified():
            raised = "asked for it" if value.hand_raised else "by score"
            text = (
                f"{value.level} {value.grade}, for the {value.leg} queue, {raised}, cycle "
                f"{value.cycle}"
            )
            return Sentence(
                about="qualified",
                text=text,
                because=tuple(contribution_line(reason) for reason in value.story.why_now),
            )
        case LeadAmended():
            raised = ", it asked for a person" if value.hand_raised else ""
            return Sentence(
                about="amended",
                text=f"{', '.join(value.changed)}: {value.level} {value.grade}{raised}",
            )


def criterion_line(criterion: Criterion) -> str:
    """A fit criterion: its points and how it stands."""
    worth = points(criterion.points_micro) if criterion.points_micro else "0"
    return f"{worth:>9} fit: {criterion.name}, {criterion.outcome.replace('_', ' ')}"


def contribution_line(contribution: Contribution) -> str:
    """One line of an explanation: its points, what it is, and what it was before it decayed."""
    group = f" [{contribution.group}]" if contribution.group else ""
    title = f" “{contribution.content_title}”" if contribution.content_title else ""
    worth, before = contribution.points_micro, contribution.base_micro
    was = f" (was {points(before)})" if before is not None and before != worth else ""
    return f"{points(worth):>9} {contribution.name}{group}{title}{was}"


def _routing_sentence(value: LeadRouted | LeadUnrouted | HandoffNoted) -> Sentence:
    match value:
        case LeadRouted():
            again = f", attempt {value.attempt}" if value.attempt > 1 else ""
            return Sentence(
                about="routed",
                text=f"to {value.owner} in {value.pool} ({value.rule}{again})",
                because=(*_path(value), *_candidates(value)),
            )
        case LeadUnrouted():
            where = f" in {value.pool}" if value.pool else ""
            return Sentence(
                about="unrouted",
                text=f"{value.outcome}{where}: {value.reason}",
                because=(*_path(value), *_candidates(value)),
            )
        case HandoffNoted():
            return Sentence(about="hand-off", text=f"{value.kind}: {value.reason}")


def _path(value: LeadRouted | LeadUnrouted) -> tuple[str, ...]:
    return tuple(f"{step.rule}: {step.outcome}" for step in value.path)


def _candidates(value: LeadRouted | LeadUnrouted) -> tuple[str, ...]:
    return tuple(
        f"{candidate.person}: {candidate.excluded or f'score {candidate.score}'} "
        f"(turns {candidate.turns}, load {candidate.load}/{candidate.capacity})"
        for candidate in value.candidates
    )


def _service_level_sentence(
    value: SlaClock | SlaViolation | SlaAction | LeadRecycled | LeadReactivated | LeadOrphan,
) -> Sentence:
    match value:
        case SlaClock():
            reason = f" ({value.reason})" if value.reason else ""
            return Sentence(
                about="clock",
                text=f"{value.clock} {value.state}{reason}: {value.target}".rstrip(": "),
            )
        case SlaViolation():
            who = value.owner or value.side
            unproven = ", unproven: a service before it was behind" if value.unproven else ""
            return Sentence(
                about="violation", text=f"{value.kind} of {value.clock}, owed by {who}{unproven}"
            )
        case SlaAction():
            to = f" to {value.to}" if value.to else ""
            reason = f" because {value.reason}" if value.reason else ""
            return Sentence(about="action", text=f"{value.kind}{to}{reason}")
        case LeadRecycled():
            track = f", track {value.track}" if value.track else ""
            return Sentence(
                about="recycled" if value.outcome == "recycle" else "ended",
                text=f"{value.reason}{track}",
                because=tuple(f"learnt: {name}={said}" for name, said in value.learnt.items()),
            )
        case LeadReactivated():
            return Sentence(about="returned", text=value.reason)
        case LeadOrphan():
            words = value.cause.replace("_", " ")
            return Sentence(
                about="orphan",
                text=f"nobody holds it: {words}"
                if value.holder is None
                else f"held again: {value.holder}",
            )


def occurred_at(value: object) -> int | None:
    """When it happened, by the clock of who reports it; None where only the log's time is known."""
    for name in ("occurred_at_ms", "evidence_at_ms"):
        found = getattr(value, name, None)
        if isinstance(found, int):
            return found
    return None


def times_of(value: Any) -> dict[str, int]:
    """The dates a record carries that a reader may want beside it: when due, when back."""
    wanted = ("deadline_ms", "return_at_ms", "next_change_at_ms", "accept_by_ms", "next_try_at_ms")
    found = {name: getattr(value, name, None) for name in wanted}
    return {name: at for name, at in found.items() if at is not None}

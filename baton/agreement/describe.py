"""Parts of an agreement in the words a manager reads."""

from collections.abc import Iterator, Mapping
from typing import Any

from baton.agreement.checks.condition_logic import test_words
from baton.agreement.model.calendars import DAYS, Span, hours_words
from baton.agreement.model.condition import All, Any_, ConditionModel, Not, Test
from baton.agreement.model.pools import AbsencesModel
from baton.agreement.model.slas import GoOnModel, PromiseModel, StepKind, StepModel, WaitModel
from baton.agreement.quantities import duration_words
from baton.contracts.routing import OpenWork


def condition_words(condition: ConditionModel) -> str:
    """``profile.country in [DE, AT] and not profile.role contains student``."""
    match condition:
        case Test():
            within = (
                f" within {duration_words(condition.within)}"
                if condition.within is not None
                else ""
            )
            return test_words(condition) + within
        case All():
            return " and ".join(_inner(part) for part in condition.all)
        case Any_():
            return " or ".join(_inner(part) for part in condition.any)
        case Not():
            return f"not {_inner(condition.not_)}"


def _inner(condition: ConditionModel) -> str:
    words = condition_words(condition)
    return f"({words})" if isinstance(condition, All | Any_) else words


def step_words(step: StepModel) -> str:
    """``escalate to manager after 4 business hours``."""
    words = step.do.value.replace("_", " ")
    if step.to:
        words += f" {step.to}" if step.do is StepKind.NOTIFY else f" to {step.to}"
    if step.do is StepKind.REASSIGN:
        words += " once" if step.at_most == 1 else f" at most {step.at_most} times"
    if step.reason:
        words += f" as {step.reason}"
    whom = [*step.level, *step.segment]
    if step.hand_raised is not None:
        whom.append(
            "who asked for a contact" if step.hand_raised else "who did not ask for a contact"
        )
    words += f" for {', '.join(whom)}" if whom else ""
    return words + (f" after {step.after.words}" if step.after else "")


def wait_words(wait: WaitModel) -> str:
    """``after call with left_message, for at most 2 days``."""
    acts = " or ".join(wait.act) or "a call, a mail or a meeting"
    outcomes = " or ".join(wait.outcome) or "the usual words"
    return f"after {acts} with {outcomes}, for at most {duration_words(wait.at_most)}"


def go_on_words(resume: GoOnModel) -> str:
    """``on call with reached``."""
    acts = " or ".join(resume.act) or "a reply or the next touch"
    return f"on {acts}" + (f" with {' or '.join(resume.outcome)}" if resume.outcome else "")


def ladder_words(steps: tuple[StepModel, ...]) -> str:
    """The steps of a ladder, or ``nothing``."""
    return ", then ".join(step_words(step) for step in steps) or "nothing"


def promise_subject(promise: PromiseModel) -> str:
    """Whom a promise is for: ``sales, hot, enterprise``; empty: everybody."""
    return ", ".join(
        filter(
            None,
            (
                promise.queue,
                *promise.level,
                *promise.segment,
                *promise.source,
                *promise.campaign,
                promise.stage,
            ),
        )
    )


def week_changes(
    old: Mapping[str, tuple[Span, ...]], new: Mapping[str, tuple[Span, ...]]
) -> Iterator[str]:
    """``mon-fri 09:00-17:00 -> 09:00-18:00``: opening hours, days in a row that change alike in
    one."""
    runs: list[tuple[str, list[str]]] = []
    for day in DAYS:
        before, after = (hours_words(hours.get(day, ())) for hours in (old, new))
        text = f"{before} -> {after}" if before != after else ""
        if not runs or runs[-1][0] != text:
            runs.append((text, []))
        runs[-1][1].append(day)
    for text, days in runs:
        if text:
            yield f"{days[0] if len(days) == 1 else f'{days[0]}-{days[-1]}'} {text}"


def absence_words(absences: AbsencesModel) -> str:
    """``go to their deputy after 2 days``."""
    match absences.open_work:
        case OpenWork.KEEP:
            return "stay with them"
        case OpenWork.DEPUTY:
            words = "go to their deputy"
        case OpenWork.RELEASE:
            words = "go to whose turn it is"
    if absences.longer_than:
        words += f" in an absence of more than {duration_words(absences.longer_than)}"
    return words


def value_words(value: Any) -> str:
    """A plain JSON value as people write it."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(value_words(item) for item in value) or "none"
        case dict():
            return ", ".join(f"{key} {value_words(item)}" for key, item in value.items()) or "none"
    return str(value)

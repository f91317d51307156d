"""One lead of a simulation that has run: its story, as ``explain`` shows it, and its numbers at the
end. Needs the whole log."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import typer
from rich.console import Console
from rich.text import Text

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement_report.lead_states import LeadStates, Score, lines_at, score_at
from baton.cli.explain import show_story, story_asked_for, story_line, why_uncounted
from baton.cli.moments import written
from baton.contracts.leads import Contribution, Criterion, LeadScored
from baton.lead_story.holder import holding_of
from baton.lead_story.sentences import contribution_line, criterion_line, points
from baton.lead_story.stories import Chapter, LeadUnknown, find_lead
from baton.simulation.memory_records import MemoryReader
from baton.simulation.simulation import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A lead's score at a moment, and what it is made of; ``lines`` add up to the engagement,
    ``criteria`` to the fit."""

    lead_id: str
    at_ms: int
    score: Score
    lines: tuple[Contribution, ...]
    criteria: tuple[Criterion, ...]


def numbers_of(
    simulation: Simulation, agreement: CompiledAgreement, lead_id: str, chapters: Sequence[Chapter]
) -> Numbers:
    """The numbers of a lead now, by the simulation's time; raises :class:`LeadUnknown` for one
    without a score."""
    states = LeadStates()
    log = simulation.host.log
    for partition in range(log.partitions):
        states.restore(
            (record.key, record.value)
            for record in log.records(states.topic, partition)
            if record.key is not None
        )
    head = states.lead(lead_id).head
    if head is None:
        raise LeadUnknown(f"lead {lead_id} has no score: it was erased, or nothing of it was taken")
    scored = [chapter.value for chapter in chapters if isinstance(chapter.value, LeadScored)]
    return Numbers(
        lead_id=lead_id,
        at_ms=log.now,
        score=score_at(head, agreement, log.now),
        lines=lines_at(head, agreement, log.now),
        criteria=scored[-1].criteria if scored else (),
    )


def show_lead(
    simulation: Simulation,
    agreement: CompiledAgreement,
    who: str,
    *,
    story: bool,
    score: bool,
    as_json: bool,
) -> None:
    """Print the story and the numbers of the lead behind ``who``: a lead id, an identifier or a
    name."""
    reader = MemoryReader(simulation.host.log)
    lead_id = find_lead(reader, who, names=True)
    chapters = story_asked_for(reader, who, lead_id)
    if as_json:
        for chapter in chapters if story else ():
            typer.echo(story_line(chapter, person=True))
        if score:
            typer.echo(
                json.dumps(
                    _document(numbers_of(simulation, agreement, lead_id, chapters)),
                    ensure_ascii=False,
                )
            )
        return
    console = Console()
    if story:
        why = why_uncounted(chapters, agreement, now_ms=simulation.host.log.now)
        holding = holding_of(reader, lead_id)
        show_story(console, lead_id, chapters, why, holding, brief=False, names=True)
    if score:
        _show_numbers(console, numbers_of(simulation, agreement, lead_id, chapters))


def _document(numbers: Numbers) -> dict[str, object]:
    return asdict(numbers) | {"score": numbers.score._asdict()}


def _show_numbers(console: Console, numbers: Numbers) -> None:
    score = numbers.score
    head = f"lead {numbers.lead_id} at {written(numbers.at_ms)}: {score.grade} {score.level}"
    console.print(Text(head, style="bold"), soft_wrap=True)
    for title, micro, lines in (
        (
            "engagement",
            score.engagement_micro,
            [contribution_line(number) for number in numbers.lines],
        ),
        ("fit", score.fit_micro, [criterion_line(criterion) for criterion in numbers.criteria]),
    ):
        console.print(Text(f"{points(micro):>9} {title}, of which"), soft_wrap=True)
        for line in lines:
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)

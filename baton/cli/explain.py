"""``baton explain``: the story of a lead, from the log."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.text import Text

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.publish import KafkaAgreementTopic, book_of, wall_ms
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.cli.patience import patience
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.custody import Holding
from baton.contracts.intake import LeadEvent, LeadPerson
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, Stage
from baton.contracts.routing import LeadRouted
from baton.lead_story.conclusion import conclusion
from baton.lead_story.holder import holder_words, holding_of
from baton.lead_story.sentences import occurred_at, sentence_of, times_of
from baton.lead_story.stories import Chapter, LeadUnknown, Reader, find_lead, story_of
from baton.lead_story.why_uncounted import uncounted

app = typer.Typer(add_completion=False)

_SAME_MS = 1_000
_CYCLE_ENDS = (Stage.RECYCLED, Stage.DISQUALIFIED, Stage.CUSTOMER)
_STYLES = {
    "qualified": "bold green",
    "routed": "bold cyan",
    "violation": "bold red",
    "refused": "red",
    "recycled": "yellow",
}


@app.command(
    no_args_is_help=True,
    epilog=(
        "Examples:  baton explain ada@example.com        baton explain 3f2a9c... --json | jq "
        "'select(.about == \"clock\")'"
    ),
)
def explain(
    who: str = typer.Argument(
        help=(
            "A lead id, an e-mail address, hubspot:4711, user:u-1, anonymous:b7d0c1; with --person "
            "also a name."
        )
    ),
    brief: bool = typer.Option(False, "--brief", help="One line a record, without the reasons."),
    as_json: bool = typer.Option(
        False,
        "--json",
        help="One JSON object a line: place, sentence, reasons, and the record itself.",
    ),
    person: bool = typer.Option(
        False,
        "--person",
        help="You may see names: look for one, and show identifiers and free text too.",
    ),
) -> None:
    """Show what happened to a lead: events, points, thresholds, routing, clocks, and under which
    agreement each was decided."""
    settings = cluster_settings()
    console = Console()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        if as_json:
            for chapter in story_asked_for(reader, who, find_lead(reader, who, names=person)):
                typer.echo(story_line(chapter, person=person))
            return
        with patience(Console(stderr=True), "reading the log ...") as waiting:
            lead_id = find_lead(reader, who, names=person)
            chapters = story_asked_for(
                reader,
                who,
                lead_id,
                seen=lambda number: waiting.doing(f"reading the log ... {number:,} records"),
            )
            holding = holding_of(reader, lead_id)
    found = book_of(KafkaAgreementTopic(settings).read()).at(wall_ms())
    why = {} if found is None else why_uncounted(chapters, found.agreement, now_ms=wall_ms())
    show_story(console, lead_id, chapters, why, holding, brief=brief, names=person)


def story_asked_for(
    reader: Reader, who: str, lead_id: str, *, seen: Callable[[int], None] = lambda _: None
) -> list[Chapter]:
    """The story of the lead behind ``who``. Where there is none the error names what was typed: the
    id that follows from an identifier says nothing to whoever asked."""
    try:
        return story_of(reader, lead_id, seen=seen)
    except LeadUnknown:
        raise LeadUnknown(
            f"nothing in the log belongs to {who.strip()}; it can be a lead id (as in "
            "leads.accepted.v1), an e-mail address, or an identifier such as hubspot:4711"
        ) from None


def show_story(
    console: Console,
    lead_id: str,
    chapters: Sequence[Chapter],
    why: Mapping[str, str],
    holding: Holding | None,
    *,
    brief: bool,
    names: bool = False,
) -> None:
    """Print the story of a lead, then who got it and why, and who has it now. ``why``: by event id,
    why an act counts nothing. ``holding``: None for a lead that was never anybody's work."""
    console.print(Text(f"lead {lead_id}", style="bold"))
    for chapter in chapters:
        _print(console, chapter, why, brief=brief)
    values = [record.value for record in chapters]
    last = conclusion(values, name=_name_in(values) if names else None)
    if last is not None:
        console.print(Text(last, style="bold green"), soft_wrap=True)
    if holding is not None:
        console.print(Text(holder_words(holding, written), style="bold"), soft_wrap=True)


def _name_in(values: Sequence[object]) -> str | None:
    """The name of the person, as it was last reported; nothing from before an erasure."""
    found: str | None = None
    for value in values:
        if isinstance(value, LeadPerson):
            if value.erased and value.survivor is None:
                found = None
            elif not value.erased:
                person = value.person
                found = f"{person.first_name or ''} {person.last_name or ''}".strip() or found
    return found


def why_uncounted(
    chapters: Sequence[Chapter], agreement: CompiledAgreement, *, now_ms: int
) -> Mapping[str, str]:
    """By event id, why acts of the story count nothing at ``now_ms`` under ``agreement``."""
    events = [chapter.value for chapter in chapters if isinstance(chapter.value, LeadEvent)]
    ends = [
        chapter.value
        for chapter in chapters
        if isinstance(chapter.value, LeadStaged) and chapter.value.to_stage in _CYCLE_ENDS
    ]
    began = max((end.occurred_at_ms for end in ends), default=0)
    return uncounted(events, agreement, cycle_began_ms=began, now_ms=now_ms)


def _decided_under(chapter: Chapter) -> str | None:
    """The version that decided: the record's own, which a challenger's may be, else the one that
    was in force."""
    own: str | None = getattr(chapter.value, "agreement", None)
    return own or chapter.record.header("baton_agreement")


def _print(console: Console, chapter: Chapter, why: Mapping[str, str], *, brief: bool) -> None:
    at = written(chapter.record.at_ms)
    if chapter.value is None:
        console.print(
            Text(f"{at}  {'unreadable':<10} {chapter.record.topic}: {chapter.trouble}", style="red")
        )
        return
    sentence = sentence_of(chapter.value)
    version = _decided_under(chapter)
    line = Text(f"{at}  ")
    line.append(f"{sentence.about:<10} ", style=_STYLES.get(sentence.about, "bold"))
    line.append(sentence.text)
    for name, moment in times_of(chapter.value).items():
        line.append(
            f"  {name.removesuffix('_at_ms').removesuffix('_ms').replace('_', ' ')} "
            f"{written(moment)}",
            style="dim",
        )
    if version:
        line.append(f"  [{version[:8]}]", style="dim")
    happened = occurred_at(chapter.value)
    if happened is not None and abs(happened - chapter.record.at_ms) >= _SAME_MS:
        line.append(f"  happened {written(happened)}", style="yellow")
    console.print(line, soft_wrap=True)
    nothing = why.get(chapter.value.event_id) if isinstance(chapter.value, LeadEvent) else None
    if nothing is not None:
        console.print(Text(f"{'':<37}{nothing}", style="yellow"), soft_wrap=True)
    if not brief:
        for reason in sentence.because:
            console.print(Text(f"{'':<37}{reason}", style="dim"), soft_wrap=True)


def story_line(chapter: Chapter, *, person: bool) -> str:
    """A chapter as one line of JSON; ``person``: with direct identifiers and free text."""
    record = chapter.record
    document = {
        "at_ms": record.at_ms,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "lead_id": chapter.lead_id,
        "agreement": _decided_under(chapter),
        "id": record.header("ce_id"),
        "cause": record.header("baton_cause"),
    }
    if chapter.value is None:
        return json.dumps(document | {"about": "unreadable", "text": chapter.trouble})
    value = asdict(chapter.value)
    if not person:
        _without_person(chapter.value, value)
    return json.dumps(
        document | asdict(sentence_of(chapter.value)) | {"record": value}, ensure_ascii=False
    )


def _without_person(record: object, value: dict[str, object]) -> None:
    match record, value:
        case LeadPerson(), _:
            value["person"] = None
        case LeadQualified(), {"story": dict(story)}:
            story["person"] = None
        case LeadAmended(), {"brief": dict(brief)}:
            brief["person"] = None
        case LeadRouted(), {"qualified": {"story": dict(story)}}:
            story["person"] = None

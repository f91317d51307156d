"""``baton words``: acts and profile fields that come in and that the agreement does not know."""

import json

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.publish import KafkaAgreementTopic, NotPublished, book_of, wall_ms
from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms, written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import LEADS_ACCEPTED
from baton.lead_story.reports import Word, unknown_words, values_of

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:  baton words        baton words --since 1d --json")
def words(
    since: str = typer.Option(
        "30d", "--since", help="Look at what came since: an ISO time, or 1h, 7d ago."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """List the acts and fields that mean nothing to the agreement in force: how often, from where,
    and what they may stand for.

    Such an act counts nothing, and no rule sees such a field: put them into the agreement, as words
    of their own or as synonyms, or correct the sender.
    """
    settings = cluster_settings()
    in_force = book_of(KafkaAgreementTopic(settings).read()).at(wall_ms())
    if in_force is None:
        raise NotPublished(
            "no agreement is in force on this cluster; put one in force with: baton agreement "
            "publish FILE"
        )
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        events = (value for _, value in values_of(reader, LEADS_ACCEPTED, moment_ms(since)))
        known = in_force.agreement.raw.definitions
        others = in_force.agreement.synonyms
        found = unknown_words(
            events,
            acts=(*known.acts, *others.acts),
            fields=(*known.profile, *others.profile),
        )
    if as_json:
        for word in found:
            typer.echo(json.dumps(_document(word)))
        return
    Console().print(
        _table(found) if found else "every act and field that came is a word of the agreement"
    )


def _document(word: Word) -> dict[str, object]:
    return {
        "kind": word.kind,
        "word": word.word,
        "count": word.count,
        "sources": sorted(word.sources),
        "last_ms": word.last_ms,
        "like": word.like,
    }


def _table(found: list[Word]) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("", "word", "came", "from", "last", "like"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "came" else "left")
    for word in found:
        sources = ", ".join(sorted(word.sources))
        table.add_row(
            word.kind, word.word, f"{word.count:,}", sources, written(word.last_ms), word.like or ""
        )
    return table

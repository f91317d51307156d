"""``baton lead``: what people do with a lead, as commands that say whether it was done."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import typer

from baton.agreement.publish import wall_ms
from baton.cli.cluster import cluster_settings
from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.log import LogReader
from baton.lead_story.stories import find_lead, identity_of
from baton.screens.inbox import send_line
from baton.screens.lead_acts import (
    ActLine,
    Answer,
    AnswerFinder,
    AnswerWatch,
    answer_within,
    identifier_of,
    identity_line,
    line_of,
)

app = typer.Typer(
    add_completion=False,
    help="Accept, reject, claim, pass on, assign, merge or separate leads: sent as an event, "
    "answered within seconds with what became of it. Exit 0 done, 1 refused or unanswered. Needs "
    "access to the cluster; reads only the lead's own partitions, from their ends.",
)

_PAUSE_S = 0.2


class NothingToDo(RuntimeError):
    """What was asked for is so already; the text says it."""


_LEAD = typer.Argument(
    ..., metavar="LEAD", help="A lead id, an e-mail address, hubspot:4711, user:u-1."
)
_BY = typer.Option(..., "--by", help="Who does it, by the id in the agreement.")
_HANDOFF = typer.Option(
    None, "--handoff", help="The hand-off it is about; without it the one that stands."
)
_WAIT = typer.Option(15.0, "--wait", min=0, help="Seconds to wait for the answer.")
_JSON = typer.Option(False, "--json", help="One JSON document on standard output.")


@app.command(epilog="Example:  baton lead accept ann@acme.example --by ae-greta")
def accept(
    lead: str = _LEAD,
    by: str = _BY,
    handoff: str = _HANDOFF,
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Accept a lead that was handed to you."""
    _do("accepted", lead, by, {"handoff_id": handoff}, wait, as_json)


@app.command(epilog="Example:  baton lead reject ann@acme.example --by ae-greta --reason no_budget")
def reject(
    lead: str = _LEAD,
    by: str = _BY,
    reason: str = typer.Option(..., "--reason", help="A reason of the agreement."),
    handoff: str = _HANDOFF,
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Reject a lead that was handed to you, with a reason of the agreement."""
    _do("rejected", lead, by, {"handoff_id": handoff, "reason": reason}, wait, as_json)


@app.command(epilog="Example:  baton lead claim ann@acme.example --by sdr-anna")
def claim(
    lead: str = _LEAD,
    by: str = _BY,
    handoff: str = _HANDOFF,
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Take a lead that waits in a queue of yours."""
    _do("claim", lead, by, {"handoff_id": handoff}, wait, as_json)


@app.command("pass-on", epilog="Example:  baton lead pass-on LEAD --by ae-greta --to ae-hugo")
def pass_on(
    lead: str = _LEAD,
    by: str = _BY,
    to: str = typer.Option(None, "--to", help="To this person."),
    to_pool: str = typer.Option(None, "--to-pool", help="To whose turn it is in this pool."),
    reason: str = typer.Option(None, "--reason", help="Why, in one word."),
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Pass a lead that you hold on to somebody else, or to a pool."""
    more = {"to_person": to, "to_pool": to_pool, "reason": reason}
    _do("pass_on", lead, by, more, wait, as_json)


@app.command(epilog="Example:  baton lead assign LEAD --by sales-lead --to ae-hugo")
def assign(
    lead: str = _LEAD,
    by: str = _BY,
    to: str = typer.Option(None, "--to", help="To this person."),
    to_pool: str = typer.Option(None, "--to-pool", help="To whose turn it is in this pool."),
    reason: str = typer.Option(None, "--reason", help="Why, in one word."),
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """As a manager: give a lead of somebody you manage to a person or a pool."""
    more = {"to_person": to, "to_pool": to_pool, "reason": reason}
    _do("assign", lead, by, more, wait, as_json)


@app.command(epilog="Example:  baton lead merge ann@acme.example hubspot:4711 --by mgr-ines")
def merge(
    lead: str = _LEAD,
    other: str = typer.Argument(..., metavar="OTHER", help="Another lead, named in the same ways."),
    by: str = _BY,
    reason: str = typer.Option(None, "--reason", help="Why, in one word."),
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Decide that two leads are one person, whatever differs: the younger ends in the older."""

    def line(reader: LogReader, lead_id: str) -> tuple[ActLine, str | None]:
        other_id = find_lead(reader, other)
        if other_id == lead_id:
            raise NothingToDo(f"they are one lead already: {lead_id}")
        others = {"lead": other_id}
        return identity_line("merge", lead_id, others, by=by, at_ms=wall_ms(), reason=reason), None

    _send("merge", lead, line, wait, as_json)


@app.command(epilog="Example:  baton lead unmerge LEAD-ID ann@other.example --by mgr-ines")
def unmerge(
    lead: str = _LEAD,
    other: str = typer.Argument(
        ..., metavar="IDENTIFIER", help="An e-mail address, hubspot:4711 or user:u-1 of the lead."
    ),
    by: str = _BY,
    reason: str = typer.Option(None, "--reason", help="Why, in one word."),
    wait: float = _WAIT,
    as_json: bool = _JSON,
) -> None:
    """Decide that an identifier is not this lead's person: it begins a lead of its own and stays
    apart until a further merge."""
    found = identifier_of(other)
    identity = identity_of(other)
    if found is None or identity is None:
        raise typer.BadParameter("name an e-mail address, hubspot:4711 or user:u-1")

    def line(reader: LogReader, lead_id: str) -> tuple[ActLine, str | None]:
        del reader
        return identity_line(
            "unmerge", lead_id, dict([found]), by=by, at_ms=wall_ms(), reason=reason
        ), identity

    _send("unmerge", lead, line, wait, as_json)


def _do(
    kind: str, who: str, by: str, more: Mapping[str, str | None], wait: float, as_json: bool
) -> None:
    def line(reader: LogReader, lead_id: str) -> tuple[ActLine, str | None]:
        del reader
        return line_of(kind, lead_id, by=by, at_ms=wall_ms(), more=more), None

    _send(kind, who, line, wait, as_json)


Line = Callable[[LogReader, str], tuple[ActLine, str | None]]
"""Makes the line for a lead id; and the identity to follow, where it is about one."""


def _send(kind: str, who: str, made: Line, wait: float, as_json: bool) -> None:
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        lead_id = find_lead(reader, who)
        line, identity = made(reader, lead_id)
        watch = AnswerWatch(reader, lead_id, identity)
        send_line(confluent_producer_options(settings), settings.namespace, line.body)
        finder = AnswerFinder(line, lead_id, kind=kind, identity=identity)
        pauses = [_PAUSE_S] * int(wait / _PAUSE_S)
        answer = answer_within(watch.news, finder, pauses=pauses, sleep=time.sleep)
    _say(line, lead_id, answer, finder.taken, as_json)
    if answer is None or answer.state != "done":
        raise typer.Exit(1)


def _say(line: ActLine, lead_id: str, answer: Answer | None, taken: bool, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {"event_id": line.event_id, "lead_id": lead_id}
        found = {"state": "waiting", "taken": taken} if answer is None else asdict(answer)
        typer.echo(json.dumps(document | found))
    elif answer is not None:
        typer.echo(answer.text)
    else:
        taken_words = "it was taken, but nothing was decided yet" if taken else "nothing came of it"
        typer.echo(
            f"no answer in time: {taken_words}. It is event {line.event_id}; see: baton explain "
            f"{lead_id}"
        )

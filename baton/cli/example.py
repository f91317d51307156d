"""``baton example``: the events of one made-up lead over the last days, to be sent and looked
at."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import typer

app = typer.Typer(add_completion=False)

_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000
_WHO = {"email": "ann.berg@acme.example"}
_VISITOR = {"anonymous": "b7d0c1"}


@app.command(
    epilog="Example:  baton example | baton send -        then:  "
    "baton explain --person ann.berg@acme.example"
)
def example() -> None:
    """Print the events of a made-up lead, one JSON object a line, dated over the days up to now:
    some reading, then a demo request.

    They score under examples/agreements/first.yaml, which is open around the clock, so that there
    is something to see at any hour. The same day's events have the same ids: sent twice they change
    nothing.
    """
    for line in example_lines(int(time.time() * 1000)):
        typer.echo(json.dumps(line, ensure_ascii=False))


def example_lines(now_ms: int) -> Iterator[dict[str, Any]]:
    """The lines, for somebody who looks at ``now_ms``."""
    day = _iso(now_ms)[:10]
    for number, (before_ms, identifiers, more) in enumerate(_PLAN, start=1):
        yield {
            "id": f"example-{day}-{number}",
            "source": "example",
            "occurred_at": _iso(now_ms - before_ms),
            "identifiers": identifiers,
            **more,
        }


_FORM = {
    "person": {
        "first_name": "Ann",
        "last_name": "Berg",
        "company": "Acme Logistics",
        "phone": "+49 30 1234567",
    },
    "profile": {"country": "DE", "role": "Head of Operations"},
}
_PROBLEM = {
    "person": {
        "stated_problem": "Half of our enquiries wait for days",
        "current_supplier": "Spreadsheets",
    }
}


def _act(act: str, **more: Any) -> dict[str, Any]:
    return {"kind": "engagement", "engagement": {"act": act, **more}}


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


_GUIDE = {
    "content_id": "/guides/lead-routing",
    "content_title": "Guide to lead routing",
    "content_stage": "awareness",
}
_PAPER = {
    "content_id": "paper-7",
    "content_title": "Leads that nobody drops",
    "content_stage": "consideration",
}
_PLAN: tuple[tuple[int, dict[str, Any], dict[str, Any]], ...] = (
    (50 * _HOUR_MS, _VISITOR, _act("page_view", campaign="search", **_GUIDE)),
    (26 * _HOUR_MS, _WHO | _VISITOR, _act("download", campaign="search", **_PAPER) | _FORM),
    (
        25 * _HOUR_MS,
        {"crm": "hubspot:4711", **_WHO},
        {"kind": "profile", "profile": {"employees": 250, "industry": "logistics"}},
    ),
    (
        25 * _HOUR_MS,
        _WHO,
        {
            "kind": "consent",
            "consent": {"purpose": "marketing", "channel": "email", "granted": True},
        },
    ),
    (
        3 * _HOUR_MS,
        _WHO,
        _act("email_click", content_title="What our customers say", campaign="letter"),
    ),
    (
        2 * _MINUTE_MS,
        _WHO | _VISITOR,
        _act("demo_request", content_title="See it live", campaign="search") | _PROBLEM,
    ),
)
"""How long ago, who, and what."""

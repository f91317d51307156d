"""A decision of the meeting that somebody writes down, or marks as done, as the record that every
board reads. Pure.

The id is derived from the form's own number and who sent it, so a doubled click is one decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.meetings import MeetingDecision
from baton.derived_ids import derived_id
from services.insights.board.page_acts import NotDoable
from services.insights.board.words import clean
from services.insights.reports.context import Viewer

_LONGEST: Final = 200
_NAMELESS: Final = (
    "A decision needs a name. Open the board as a person: baton board link --as PERSON"
)


def decision_of(
    form: Mapping[str, str],
    *,
    viewer: Viewer,
    agreement: CompiledAgreement | None,
    now_ms: int,
) -> MeetingDecision:
    """A new decision; raises NotDoable."""
    if viewer.person is None or agreement is None:
        raise NotDoable(
            "A decision needs a name. Open the board as a person: baton board link --as"
        )
    text, owner = clean(form.get("text", ""), _LONGEST), form.get("owner", "")
    if not text:
        raise NotDoable("Write what was decided.")
    if owner not in agreement.people:
        raise NotDoable("Choose who sees to it from the list.")
    return MeetingDecision(
        decision_id=derived_id("decision", viewer.person, form.get("number", "")[:64], text),
        text=text,
        owner=owner,
        due=_day(form.get("due", "")),
        by=viewer.person,
        decided_at_ms=now_ms,
        at_ms=now_ms,
    )


def changed_decision(
    form: Mapping[str, str], known: Mapping[str, Any], *, viewer: Viewer, now_ms: int
) -> MeetingDecision:
    """The decision as it is from now on: done, or open again; raises NotDoable."""
    if viewer.person is None:
        raise NotDoable(
            "A decision needs a name. Open the board as a person: baton board link --as"
        )
    if form.get("done") not in ("0", "1"):
        raise NotDoable("A decision is done, or it is not.")
    return MeetingDecision(
        decision_id=known["decision_id"],
        text=known["text"],
        owner=known["owner"],
        due=known["due"],
        by=viewer.person,
        decided_at_ms=known["decided_at_ms"],
        done=form["done"] == "1",
        at_ms=now_ms,
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise NotDoable("Write the day as 2026-12-01.") from None

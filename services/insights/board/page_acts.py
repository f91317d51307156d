"""What people do on a page, as event lines for the inbox. Pure: who, what and when are arguments.

The id is derived from what is done to which hand-off, so a doubled click is one act; what may be
done again (a call) takes the form's own number into it. Nothing is decided here: the line is an
event like any other, and Baton says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.derived_ids import derived_id
from baton.intake.keyed_records import event_id_of
from services.insights.reports.context import Role, Viewer

SOURCE: Final = "board"
OUTCOMES: Final = ("reached", "voicemail", "no_answer", "wrong_number")
_VERDICTS: Final = frozenset({"accepted", "rejected"})
_COMMANDS: Final = frozenset({"claim", "pass_on"})
DOABLE: Final = ("accepted", "rejected", "call", "claim", "pass_on")


class NotDoable(ValueError):
    """What was asked for cannot be sent; the text says why. Nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An event line. ``event_id`` is the id that Baton gives it, by which what became of it is
    found."""

    body: dict[str, Any]
    event_id: str


def line_of(
    form: Mapping[str, str],
    *,
    lead: Mapping[str, Any],
    viewer: Viewer,
    agreement: CompiledAgreement | None,
    now_ms: int,
) -> Line:
    """The line for a form that was sent about a lead; raises NotDoable."""
    what = form.get("do", "")
    if what not in DOABLE:
        raise NotDoable("This is nothing that can be done here.")
    if viewer.person is None or agreement is None:
        raise NotDoable(
            "Acts need a name. Open the board as a person of the agreement: baton board link --as "
            "PERSON"
        )
    handoff = form.get("handoff_id") or None
    if what in _VERDICTS | {"claim", "pass_on"} and not handoff:
        raise NotDoable("There is no hand-off to answer.")
    if handoff is not None and handoff != lead.get("handoff_id"):
        raise NotDoable(
            "Meanwhile the hand-off was changed by somebody else. Look at the lead again."
        )
    if what != "claim" and viewer.role is not Role.MANAGER and lead.get("holder") != viewer.person:
        raise NotDoable("The lead is held by somebody else. Claim it first.")
    body = _parts(what, form, handoff, viewer, agreement, lead)
    own_id = derived_id(
        SOURCE, what, lead["lead_id"], handoff or "", viewer.person, _repeatable(what, form)
    )
    at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    whole = {
        "id": own_id,
        "source": SOURCE,
        "occurred_at": at,
        "identifiers": {"lead": lead["lead_id"]},
        **body,
    }
    return Line(body=whole, event_id=event_id_of(SOURCE, own_id))


def _repeatable(what: str, form: Mapping[str, str]) -> str:
    return "" if what in _VERDICTS else form.get("number", "")[:64]


def _parts(
    what: str,
    form: Mapping[str, str],
    handoff: str | None,
    viewer: Viewer,
    agreement: CompiledAgreement,
    lead: Mapping[str, Any],
) -> dict[str, Any]:
    signed: dict[str, Any] = {"kind": what, "by": viewer.person}
    if handoff:
        signed["handoff_id"] = handoff
    if what == "claim":
        return {"kind": "command", "command": signed}
    if what == "pass_on":
        return {
            "kind": "command",
            "command": signed | {"to_person": _one_of(form, "to_person", agreement.people)},
        }
    actor = viewer.role.value if viewer.role is not Role.MARKETING else "sales"
    act = signed | {"actor": lead.get("leg") or actor}
    if what == "rejected":
        act["reason"] = _one_of(form, "reason", agreement.recycling.reasons)
    if what == "call":
        act["outcome"] = _one_of(form, "outcome", dict.fromkeys(OUTCOMES))
    return {"kind": "act", "act": act}


def _one_of(form: Mapping[str, str], name: str, known: Mapping[str, Any]) -> str:
    value = form.get(name, "")
    if value not in known:
        raise NotDoable(f"Choose a {name.replace('_', ' ').removeprefix('to ')} from the list.")
    return value

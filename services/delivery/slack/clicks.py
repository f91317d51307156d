"""What a click on a card means: an event line for the inbox, or why it is none. Pure.

The id of the act follows from the workspace, the message, the button and the hand-off: a doubled
click, and Slack sending it again, are one act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.derived_ids import derived_id
from services.delivery.handoffs import HandoffNow, Phase
from services.delivery.slack.blocks import ACCEPT, PASS_ON, REJECT
from services.delivery.wording import status_of

SOURCE = "slack"
_LONGEST_CHAIN = 20


class NotAClick(ValueError):
    """The payload is none that a card of ours makes."""


class NotDone(ValueError):
    """Nothing was sent; the text says to the clicker why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """``choice``: the selected option; ``ts``: of the message it was in."""

    team: str
    user: str
    channel: str
    ts: str
    action: str
    handoff_id: str
    choice: str | None


def click_of(payload: Mapping[str, Any]) -> Click:
    """Raises :class:`NotAClick`."""
    try:
        (action,) = payload["actions"]
        option = action.get("selected_option") or {}
        click = Click(
            team=str(payload["team"]["id"]),
            user=str(payload["user"]["id"]),
            channel=str(payload["container"]["channel_id"]),
            ts=str(payload["container"]["message_ts"]),
            action=str(action["action_id"]),
            handoff_id=str(action["block_id"]),
            choice=option.get("value"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAClick("not a click on a card") from None
    if payload.get("type") != "block_actions" or click.action not in (ACCEPT, REJECT, PASS_ON):
        raise NotAClick("not a click on a card")
    return click


def line_of(
    click: Click,
    *,
    handoff: HandoffNow | None,
    person: str | None,
    agreement: CompiledAgreement | None,
    now_ms: int,
) -> dict[str, Any]:
    """The line for the inbox; raises :class:`NotDone`."""
    if handoff is None or agreement is None:
        raise NotDone("Baton does not know this hand-off any more.")
    if person is None or person not in agreement.people:
        raise NotDone("Baton does not know who you are; ask whoever keeps targets.yaml.")
    if handoff.phase is not Phase.OFFERED:
        raise NotDone(f"Too late: {status_of(handoff, agreement.timezone)}.")
    if person != handoff.holder and not _manages(person, handoff.holder, agreement):
        raise NotDone(f"This lead was offered to {handoff.holder}; you cannot answer for them.")
    own = _own_part(click, person, handoff, agreement)
    choice = click.choice or "" if click.action == PASS_ON else ""
    at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "id": derived_id(SOURCE, click.team, click.ts, click.action, handoff.handoff_id, choice),
        "source": SOURCE,
        "occurred_at": at,
        "identifiers": {"lead": handoff.lead_id},
        **own,
    }


def _own_part(
    click: Click, person: str, handoff: HandoffNow, agreement: CompiledAgreement
) -> dict[str, Any]:
    signed = {"by": person, "handoff_id": handoff.handoff_id}
    if click.action == PASS_ON:
        if click.choice not in agreement.people:
            raise NotDone("Choose somebody of the list.")
        command = signed | {"kind": "pass_on", "to_person": click.choice}
        return {"kind": "command", "command": command}
    act = signed | {"kind": "accepted" if click.action == ACCEPT else "rejected"}
    act["actor"] = handoff.leg or "sales"
    if click.action == REJECT:
        if click.choice not in agreement.recycling.reasons:
            raise NotDone("Choose a reason of the list.")
        act["reason"] = str(click.choice)
    return {"kind": "act", "act": act}


def _manages(manager: str, person: str | None, agreement: CompiledAgreement) -> bool:
    for _ in range(_LONGEST_CHAIN):
        found = agreement.people.get(person or "")
        if found is None or found.manager is None:
            return False
        if found.manager == manager:
            return True
        person = found.manager
    return False

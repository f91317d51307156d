"""What is to be delivered because of one fact: a function of the fact and the targets. Pure.

Ids are derived from the target and the fact, so that the same fact makes the same deliveries
however often it is read. The body of a webhook is made once, here: every attempt sends the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Final

from baton.contracts.digests import SlaDigest
from baton.contracts.intake import LeadPerson
from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.routing import HandoffNoted, LeadRouted
from baton.contracts.slas import ActionKind, LeadReactivated, LeadRecycled, SlaAction, SlaViolation
from baton.contracts.topic_names import LEADS_ROUTED_SALES, LEADS_ROUTED_SDR, LEADS_SCORED
from baton.derived_ids import derived_id
from services.delivery.digest_notice import digest_notes
from services.delivery.targets.target_model import CONCIERGE, TargetsFile, WebhookTarget

MAX_BODY: Final = 20_000
"""A body that would be longer is sent thin, as the specification advises."""
_IDS: Final = (
    "handoff_id",
    "qualification_id",
    "account_id",
    "clock_id",
    "goal",
    "kind",
    "digest",
    "at_ms",
)
_IN_DIGESTS: Final = frozenset({ActionKind.NOTIFY.value, ActionKind.ESCALATE.value})
_MOVES_A_CARD: Final = (LeadRouted, HandoffNoted, LeadStaged)
_MOVES_THE_CRM: Final = (LeadRouted, HandoffNoted, LeadStaged, LeadRecycled, LeadReactivated)
NOTICED: Final[tuple[type, ...]] = (
    *_MOVES_THE_CRM,
    LeadPerson,
    LeadScored,
    SlaAction,
    SlaDigest,
    SlaViolation,
)
"""What targets that are no webhooks are notified of; webhooks name their topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One delivery to make. ``order_key``: those of one key are sent one after the other.
    ``personal``: the payload may name a person, so it goes when the person is forgotten."""

    id: str
    target: str
    kind: str
    topic: str
    fact_id: str
    lead_id: str | None
    order_key: str | None
    payload: str
    personal: bool


def delivery_id(target: str, *cause: str) -> str:
    """The id under which a target hears of a cause: no dot in it, as the specification asks."""
    return f"msg_{derived_id('delivery', target, *cause)}"


def plan(fact: PublicRecord, targets: TargetsFile) -> Iterator[Planned]:
    """Every delivery that the fact causes."""
    if fact.value is None:
        return
    for name, webhook in targets.webhooks.items():
        if fact.topic in webhook.topics and is_wanted(fact, webhook.where):
            yield _webhook(fact, name, webhook)
    yield from _to_people(fact, targets)
    if targets.concierge is not None and isinstance(fact.value, LeadRouted):
        yield _of_lead(fact, CONCIERGE, "promise", None)
    if isinstance(fact.value, _MOVES_THE_CRM) or fact.topic == LEADS_SCORED:
        for name in (*targets.hubspot, *targets.salesforce):
            yield _of_lead(fact, name, "crm", f"lead {fact.lead_id}")


def _to_people(fact: PublicRecord, targets: TargetsFile) -> Iterator[Planned]:
    for name, slack in targets.slack.items():
        wanted = slack.pools == () or getattr(fact.value, "pool", None) in (None, *slack.pools)
        if slack.cards and wanted and _moves_a_card(fact.value):
            yield _of_lead(fact, name, "card", f"lead {fact.lead_id}")
        if wanted and notice_kinds(fact.value) & frozenset(slack.notices):
            yield _of_lead(fact, name, "notice", None)
    for name, mail in targets.mail.items():
        if mail.cards and fact.topic in (LEADS_ROUTED_SALES, LEADS_ROUTED_SDR):
            yield _of_lead(fact, name, "card", None)
        if notice_kinds(fact.value) & frozenset(mail.notices):
            yield _of_lead(fact, name, "notice", None)


def _moves_a_card(value: Any) -> bool:
    """An erasure does: the card is to be shown without the person."""
    return isinstance(value, _MOVES_A_CARD) or (isinstance(value, LeadPerson) and value.erased)


def notice_kinds(value: Any) -> frozenset[str]:
    """The words under any of which a target asks for this notice. An action that stands in a digest
    is none: its recipient is notified of the digest."""
    match value:
        case SlaDigest():
            return _IN_DIGESTS
        case SlaAction(digest=None, kind=kind) | SlaViolation(kind=kind):
            return frozenset({kind})
        case _:
            return frozenset()


def is_wanted(fact: PublicRecord, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether every path has one of its values; what is missing has none of them."""
    for path, wanted in where.items():
        found = at_path(fact.value, path)
        words = "true" if found is True else "false" if found is False else str(found)
        if found is None or words not in wanted:
            return False
    return True


def _webhook(fact: PublicRecord, name: str, target: WebhookTarget) -> Planned:
    full = target.body == "full"
    body = _body(fact, _full(fact.value, target.fields) if full else _thin(fact))
    if full and len(body.encode()) > MAX_BODY:
        full, body = False, _body(fact, _thin(fact))
    return Planned(
        id=delivery_id(name, fact.id),
        target=name,
        kind="webhook",
        topic=fact.topic,
        fact_id=fact.id,
        lead_id=fact.lead_id,
        order_key=fact.lead_id if target.order == "lead" else None,
        payload=body,
        personal=full,
    )


def _of_lead(fact: PublicRecord, name: str, kind: str, order_key: str | None) -> Planned:
    notes = digest_notes(fact.value) if isinstance(fact.value, SlaDigest) else _notes(fact)
    return Planned(
        id=delivery_id(name, kind, fact.id),
        target=name,
        kind=kind,
        topic=fact.topic,
        fact_id=fact.id,
        lead_id=fact.lead_id,
        order_key=order_key,
        payload=json.dumps(notes, ensure_ascii=False, sort_keys=True),
        personal=False,
    )


def _notes(fact: PublicRecord) -> dict[str, Any]:
    paths = ("handoff_id", "clock", "kind", "owner", "pool", "to", "deadline_ms", "reason")
    return {path: found for path in paths if (found := at_path(fact.value, path)) is not None}


def _body(fact: PublicRecord, data: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(fact.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    body = {"type": fact.topic, "timestamp": at.replace("+00:00", "Z"), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _thin(fact: PublicRecord) -> dict[str, Any]:
    found = {name: getattr(fact.value, name, None) for name in _IDS}
    ids = {"id": fact.id, "lead_id": fact.lead_id, **found}
    return {name: value for name, value in ids.items() if value is not None}


def _full(value: Any, paths: tuple[str, ...]) -> dict[str, Any]:
    if not paths:
        whole = plain(value)
        assert isinstance(whole, dict)
        return whole
    found: dict[str, Any] = {}
    for path in paths:
        place, (*parents, last) = found, path.split(".")
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = plain(at_path(value, path))
    return found


def plain(value: Any) -> Any:
    """A record as JSON can have it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


def at_path(value: Any, path: str) -> Any:
    """The part of a record at ``owner`` or ``qualified.story.person.company``; None where there is
    none."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if value is None:
            return None
    return value

"""Segment's calls as event lines. Pure: a call and the moment of its receipt in, an event line (as
an object) out.

``identify`` and ``group`` are a profile, ``track`` is an engagement whose act is the event's name
in snake case (``Demo Requested``: ``demo_requested``), ``page`` is ``page_view``, ``screen`` is
``screen_view``, ``alias`` links two ids, the former one both as a visitor's and as a user's. Of
traits and properties only what is listed here is taken, and personal data only into ``person``;
everything else a client library sends along is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.derived_ids import derived_id
from baton.intake.fields import instant_ms
from baton.intake.line_reading import LineRefused, Problem, read_line
from baton.intake.lines import EventLine
from services.ingest.gateway.adapters.segment_fields import (
    CONTENT,
    PROPERTIES,
    first_safe,
    host_of,
    identifiers_of,
    is_address,
    object_of,
    path_of,
    person_of,
    profile_of,
    safe,
    snake,
    text_of,
    topics_of,
)

CALLS = frozenset({"identify", "track", "page", "screen", "group", "alias"})
PAGE_VIEW, SCREEN_VIEW = "page_view", "screen_view"
_ON_THE_WAY_MS = 10_000
_NOT_CONTENT = frozenset({"sentAt", "receivedAt", "writeKey", "_metadata"})

_SAID_IN_SEGMENT = (
    ("identifiers.email", "traits.email"),
    ("person.email", "traits.email"),
    ("identifiers.user", "userId"),
    ("identifiers.anonymous", "anonymousId"),
    ("identifiers", "userId"),
    ("engagement.act", "event"),
    ("occurred_at", "timestamp"),
    ("id", "messageId"),
    ("person", "traits"),
    ("profile", "traits"),
    ("engagement", "properties"),
)


def line_of_call(
    call: Mapping[str, Any], *, received_at_ms: int, sent_at: Any = None
) -> dict[str, Any]:
    """The event line of one call; raises :class:`LineRefused` naming Segment's field. ``sent_at``:
    the batch's."""
    kind = call.get("type")
    if not isinstance(kind, str) or kind not in CALLS:
        raise LineRefused.of("invalid", "must be one of: " + ", ".join(sorted(CALLS)), field="type")
    context, traits = object_of(call, "context"), object_of(call, "traits")
    line = {
        "id": _own_id(call, received_at_ms),
        "occurred_at": _occurred_at(call, received_at_ms, sent_at),
        **_PARTS[str(kind)](call, context, {**object_of(context, "traits"), **traits}),
    }
    if not line["identifiers"]:
        raise LineRefused.of(
            "invalid", "is missing, and so are anonymousId and an e-mail address", field="userId"
        )
    return {name: value for name, value in line.items() if value not in (None, {})}


def said_in_segment(refused: LineRefused) -> LineRefused:
    """The same refusal, with Segment's names of the fields."""
    said = (Problem(_their_name(problem.field), problem.reason) for problem in refused.problems)
    return LineRefused(refused.code, dict.fromkeys(said))


def read_call(call: Mapping[str, Any], *, received_at_ms: int, sent_at: Any = None) -> EventLine:
    """The event line of a call, checked; raises :class:`LineRefused` in Segment's words."""
    line = line_of_call(call, received_at_ms=received_at_ms, sent_at=sent_at)
    try:
        return read_line(line)
    except LineRefused as refused:
        raise said_in_segment(refused) from None


def _identify(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "kind": "profile",
        "person": person_of(traits),
        "profile": profile_of(traits),
        "identifiers": identifiers_of(call, traits),
    }


def _track(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]
) -> dict[str, Any]:
    event = call.get("event")
    if not isinstance(event, str) or not snake(event):
        raise LineRefused.of("invalid", "must be a name with a letter or digit", field="event")
    page = {
        name: value
        for name, value in object_of(context, "page").items()
        if name in ("path", "url", "referrer")
    }
    return _engagement(
        call, context, traits, snake(event), {**page, **object_of(call, "properties")}
    )


def _page(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]
) -> dict[str, Any]:
    properties = {**object_of(context, "page"), **object_of(call, "properties")}
    path = path_of(properties)
    # The path names the content; a page's name is what people call it.
    found = {
        "content_id": path,
        "content_title": call.get("name"),
        "category": call.get("category"),
        **properties,
    }
    act = PAGE_VIEW if call.get("type") == "page" else SCREEN_VIEW
    return _engagement(
        call,
        context,
        traits,
        act,
        {name: value for name, value in found.items() if value is not None},
    )


def _group(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]
) -> dict[str, Any]:
    company = object_of(call, "traits")
    group = text_of(call.get("groupId"))
    profile = profile_of(company) | ({"group": group} if group and safe("group", group) else {})
    person = {"company": text_of(company.get("name"))[:200]} if text_of(company.get("name")) else {}
    return {
        "kind": "profile",
        "person": person,
        "profile": profile,
        "identifiers": identifiers_of(call, object_of(context, "traits")),
    }


def _alias(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]
) -> dict[str, Any]:
    previous = text_of(call.get("previousId"))
    if not previous:
        raise LineRefused.of("invalid", "is missing", field="previousId")
    identifiers = identifiers_of(call, {})
    if not identifiers:
        raise LineRefused.of("invalid", "is missing", field="userId")
    # What it was before the call does not say: a visitor's id, or the user's id of another time. It
    # is linked as both.
    for scheme in ("email",) if is_address(previous) else ("user", "anonymous"):
        known = identifiers.get(scheme)
        identifiers[scheme] = list(
            dict.fromkeys([*([known] if isinstance(known, str) else []), previous])
        )
    return {"kind": "link", "identifiers": identifiers}


_PARTS = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _page,
    "group": _group,
    "alias": _alias,
}


def _engagement(
    call: Mapping[str, Any],
    context: Mapping[str, Any],
    traits: Mapping[str, Any],
    act: str,
    properties: Mapping[str, Any],
) -> dict[str, Any]:
    campaign = object_of(context, "campaign")
    taken = {name: properties[name] for name in PROPERTIES if name in properties}
    taken |= {
        f"utm_{name}": campaign[name]
        for name in ("source", "medium", "term", "content")
        if name in campaign
    }
    taken |= {"path": path_of(properties), "referrer": host_of(properties.get("referrer"))}
    part: dict[str, Any] = {name: first_safe(properties, names) for name, names in CONTENT.items()}
    part["content_stage"] = snake(part["content_stage"]) if part["content_stage"] else None
    part |= {
        "act": act,
        "campaign": safe("campaign", campaign.get("name") or properties.get("campaign")),
        "topics": topics_of(properties.get("topics")),
        "automatic": properties.get("automatic") is True,
        "properties": {name: text for name, value in taken.items() if (text := safe(name, value))},
    }
    return {
        "kind": "engagement",
        "engagement": {name: value for name, value in part.items() if value is not None},
        "person": person_of(traits),
        "profile": profile_of(traits),
        "identifiers": identifiers_of(call, traits),
    }


def _own_id(call: Mapping[str, Any], received_at_ms: int) -> str:
    own = text_of(call.get("messageId"))
    if own:
        return own
    # Without an id, the same content at the same moment is the same event; without a moment of its
    # own, each call is one.
    dated = call.get("timestamp") or call.get("originalTimestamp")
    said = repr(
        sorted((str(name), repr(value)) for name, value in call.items() if name not in _NOT_CONTENT)
    )
    return derived_id("call", said, "" if dated else received_at_ms)


def _occurred_at(call: Mapping[str, Any], received_at_ms: int, sent_at: Any) -> int:
    """The client's moment put right by how wrong its clock was when it sent; without a moment of
    its own, now.

    A difference that the way from there to here explains is no wrong clock, and is left alone.
    """
    for field in ("timestamp", "originalTimestamp"):
        if call.get(field):
            occurred = _moment(call[field], field)
            behind = received_at_ms - _sent_at_ms(call.get("sentAt") or sent_at, received_at_ms)
            return occurred + behind if abs(behind) > _ON_THE_WAY_MS else occurred
    return received_at_ms


def _sent_at_ms(sent_at: Any, received_at_ms: int) -> int:
    # One that cannot be read corrects nothing; the event is not to be lost for it.
    try:
        return instant_ms(sent_at)
    except ValueError:
        return received_at_ms


def _moment(value: Any, field: str) -> int:
    try:
        return instant_ms(value)
    except ValueError as error:
        raise LineRefused.of("invalid", str(error), field=field) from None


def _their_name(field: str) -> str:
    for ours, theirs in _SAID_IN_SEGMENT:
        if field == ours or field.startswith(ours + "."):
            return theirs
    return field

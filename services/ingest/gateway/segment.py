"""Segment's calls as event lines. Pure: a call and the moment of its receipt in, an event line (as an object) out.

``identify`` and ``group`` tell a profile, ``track`` is an engagement whose act is the event's name in snake case (``Demo Requested``:
``demo_requested``), ``page`` is ``page_view``, ``screen`` is ``screen_view``, ``alias`` links two ids. Of traits and properties only what is listed
here is taken, and personal data only into ``person``; everything else a client library sends along is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from baton.ids import derived_id
from baton.intake.fields import instant_ms, profile_text
from baton.intake.lines import EventLine
from baton.intake.reading import LineRefused, Problem, read_line

CALLS = frozenset({"identify", "track", "page", "screen", "group", "alias"})
PAGE_VIEW, SCREEN_VIEW = "page_view", "screen_view"

_PERSON_TRAITS = {
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "first_name": "first_name",
    "lastName": "last_name",
    "last_name": "last_name",
    "stated_problem": "stated_problem",
    "current_supplier": "current_supplier",
    "message": "note",
    "note": "note",
}
_PROFILE_TRAITS = {
    "title": "title",
    "role": "role",
    "seniority": "seniority",
    "department": "department",
    "industry": "industry",
    "employees": "employees",
    "employee_count": "employees",
    "annual_revenue": "annual_revenue",
    "annualRevenue": "annual_revenue",
    "country": "country",
    "region": "region",
    "state": "region",
    "website": "website",
    "domain": "domain",
    "plan": "plan",
    "language": "language",
}
_PROPERTIES = frozenset({"form", "product", "plan", "asset", "webinar", "language", "category", "value", "duration_seconds"})
_CONTENT = {
    "content_id": ("content_id", "asset_id", "webinar_id"),
    "content_title": ("content_title", "title"),
    "content_stage": ("content_stage",),
    "link_group": ("link_group", "email_id"),
}
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
_WORD_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_MAX_TEXT = {"stated_problem": 2_000, "note": 2_000}
_MAX_WORD = 64


def line_of_call(call: Mapping[str, Any], *, received_at_ms: int, sent_at: Any = None) -> dict[str, Any]:
    """The event line of one call; raises :class:`LineRefused` naming Segment's field. ``sent_at``: the batch's."""
    kind = call.get("type")
    if kind not in CALLS:
        raise LineRefused.of("invalid", "must be one of: " + ", ".join(sorted(CALLS)), field="type")
    context, traits = _object(call, "context"), _object(call, "traits")
    line = {
        "id": _own_id(call, received_at_ms),
        "occurred_at": _occurred_at(call, received_at_ms, sent_at),
        **_PARTS[str(kind)](call, context, {**_object(context, "traits"), **traits}),
    }
    if not line["identifiers"]:
        raise LineRefused.of("invalid", "is missing, and so are anonymousId and an e-mail address", field="userId")
    return {name: value for name, value in line.items() if value not in (None, {})}


def said_in_segment(refused: LineRefused) -> LineRefused:
    """The same refusal, with Segment's names of the fields."""
    said = (Problem(_their_name(each.field), each.reason) for each in refused.problems)
    return LineRefused(refused.code, dict.fromkeys(said))


def read_call(call: Mapping[str, Any], *, received_at_ms: int, sent_at: Any = None) -> EventLine:
    """The event line of a call, checked; raises :class:`LineRefused` in Segment's words."""
    line = line_of_call(call, received_at_ms=received_at_ms, sent_at=sent_at)
    try:
        return read_line(line)
    except LineRefused as refused:
        raise said_in_segment(refused) from None


def snake(name: str) -> str:
    """A word of the taxonomy from an event's name: ``Demo Requested``, ``demoRequested`` and ``demo-requested`` are one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "_".join(part for part in _WORD_EDGES.split(plain.strip()) if part).lower()[:_MAX_WORD].strip("_")


def _identify(call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "profile",
        "person": _person(traits),
        "profile": _profile(traits),
        "identifiers": _identifiers(call, traits),
    }


def _track(call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    event = call.get("event")
    if not isinstance(event, str) or not snake(event):
        raise LineRefused.of("invalid", "must be a name with a letter or digit", field="event")
    page = {name: value for name, value in _object(context, "page").items() if name in ("path", "url", "referrer")}
    return _engagement(call, context, traits, snake(event), {**page, **_object(call, "properties")})


def _page(call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**_object(context, "page"), **_object(call, "properties")}
    path = _path(properties)
    # The path names the content; a page's name is what people call it.
    found = {"content_id": path, "content_title": call.get("name"), "category": call.get("category"), **properties}
    act = PAGE_VIEW if call.get("type") == "page" else SCREEN_VIEW
    return _engagement(call, context, traits, act, {name: value for name, value in found.items() if value is not None})


def _group(call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    company = _object(call, "traits")
    group = _text(call.get("groupId"))
    profile = _profile(company) | ({"group": group} if group and _safe("group", group) else {})
    person = {"company": _text(company.get("name"))[:200]} if _text(company.get("name")) else {}
    return {
        "kind": "profile",
        "person": person,
        "profile": profile,
        "identifiers": _identifiers(call, _object(context, "traits")),
    }


def _alias(call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    previous = _text(call.get("previousId"))
    if not previous:
        raise LineRefused.of("invalid", "is missing", field="previousId")
    identifiers = _identifiers(call, {})
    if not identifiers:
        raise LineRefused.of("invalid", "is missing", field="userId")
    scheme = "email" if "@" in previous else "anonymous"
    known = identifiers.get(scheme)
    identifiers[scheme] = [*([known] if isinstance(known, str) else []), previous]
    return {"kind": "link", "identifiers": identifiers}


_PARTS = {"identify": _identify, "track": _track, "page": _page, "screen": _page, "group": _group, "alias": _alias}


def _engagement(
    call: Mapping[str, Any], context: Mapping[str, Any], traits: Mapping[str, Any], act: str, properties: Mapping[str, Any]
) -> dict[str, Any]:
    campaign = _object(context, "campaign")
    told = {name: properties[name] for name in _PROPERTIES if name in properties}
    told |= {f"utm_{name}": campaign[name] for name in ("source", "medium", "term", "content") if name in campaign}
    told |= {"path": _path(properties), "referrer": _host(properties.get("referrer"))}
    part: dict[str, Any] = {name: _first_safe(properties, names) for name, names in _CONTENT.items()}
    part["content_stage"] = snake(part["content_stage"]) if part["content_stage"] else None
    part |= {
        "act": act,
        "campaign": _safe("campaign", campaign.get("name") or properties.get("campaign")),
        "topics": _topics(properties.get("topics")),
        "automatic": properties.get("automatic") is True,
        "properties": {name: text for name, value in told.items() if (text := _safe(name, value))},
    }
    return {
        "kind": "engagement",
        "engagement": {name: value for name, value in part.items() if value is not None},
        "person": _person(traits),
        "profile": _profile(traits),
        "identifiers": _identifiers(call, traits),
    }


def _identifiers(call: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    user, anonymous, email = _text(call.get("userId")), _text(call.get("anonymousId")), _text(traits.get("email"))
    if "@" in user:  # many use the address as the user's id; it is the same person as by form or list
        email, user = email or user, "" if not email or email.lower() == user.lower() else user
    return {name: value for name, value in (("email", email), ("user", user), ("anonymous", anonymous)) if value}


def _person(traits: Mapping[str, Any]) -> dict[str, Any]:
    person = {field: _text(traits[name]) for name, field in _PERSON_TRAITS.items() if name in traits}
    company = traits.get("company")
    person["company"] = _text(company.get("name") if isinstance(company, Mapping) else company)
    if not person.get("first_name") and not person.get("last_name"):
        person["first_name"], _, person["last_name"] = _text(traits.get("name")).partition(" ")
    cut = {name: value if name == "email" else value[: _MAX_TEXT.get(name, 200)] for name, value in person.items()}
    return {name: value for name, value in cut.items() if value}


def _profile(traits: Mapping[str, Any]) -> dict[str, Any]:
    company, address = _object(traits, "company"), _object(traits, "address")
    profile: dict[str, Any] = {}
    for told in (traits, company, address):
        for name, field in _PROFILE_TRAITS.items():
            text = _safe(field, told.get(name))
            if text is not None:
                profile.setdefault(field, text)
    return profile


def _safe(name: str, value: Any) -> str | None:
    """A value that may go where no personal data may, cut to its limit; None for one that may not."""
    try:
        return profile_text(name, value[:200] if isinstance(value, str) else value)
    except ValueError:
        return None


def _first_safe(properties: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := _safe(name, properties.get(name)))), None)


def _topics(value: Any) -> list[str]:
    words = [snake(each) for each in value[:16] if isinstance(each, str)] if isinstance(value, list) else []
    return [word for word in words if word]


def _path(properties: Mapping[str, Any]) -> str | None:
    """The path of a page; never its query, which carries addresses and tokens."""
    value = properties.get("path") or properties.get("url")
    try:
        return _safe("path", urlsplit(value).path) if isinstance(value, str) else None
    except ValueError:
        return None


def _host(value: Any) -> str | None:
    try:
        return urlsplit(value).hostname if isinstance(value, str) else None
    except ValueError:
        return None


def _own_id(call: Mapping[str, Any], received_at_ms: int) -> str:
    own = _text(call.get("messageId"))
    if own:
        return own
    # Without an id, the same content at the same moment is the same event; without a moment of its own, each call is one.
    dated = call.get("timestamp") or call.get("originalTimestamp")
    said = repr(sorted((str(name), repr(value)) for name, value in call.items() if name not in ("sentAt", "receivedAt")))
    return derived_id("call", said, "" if dated else received_at_ms)


def _occurred_at(call: Mapping[str, Any], received_at_ms: int, sent_at: Any) -> int:
    """``timestamp``, else the client's moment put right by how wrong its clock was when it sent, else now."""
    if call.get("timestamp"):
        return _moment(call["timestamp"], "timestamp")
    if call.get("originalTimestamp"):
        original = _moment(call["originalTimestamp"], "originalTimestamp")
        sent = call.get("sentAt") or sent_at
        return received_at_ms - _moment(sent, "sentAt") + original if sent else original
    return received_at_ms


def _moment(value: Any, field: str) -> int:
    try:
        return instant_ms(value)
    except ValueError as error:
        raise LineRefused.of("invalid", str(error), field=field) from None


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())


def _their_name(field: str) -> str:
    for ours, theirs in _SAID_IN_SEGMENT:
        if field == ours or field.startswith(ours + "."):
            return theirs
    return field

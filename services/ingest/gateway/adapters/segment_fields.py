"""What of a Segment call goes where: ids, traits and properties as the parts of an event line.
Pure.

Only what is listed here is taken, personal data only into ``person``; a value that may not stand
where it would go is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from baton.intake.fields import profile_fields, profile_text
from baton.number_text import number_text

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
PROPERTIES = frozenset(
    {
        "form",
        "product",
        "plan",
        "asset",
        "webinar",
        "language",
        "category",
        "value",
        "duration_seconds",
    }
)
CONTENT = {
    "content_id": ("content_id", "asset_id", "webinar_id"),
    "content_title": ("content_title", "title"),
    "content_stage": ("content_stage",),
    "link_group": ("link_group", "email_id"),
}
_WORD_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_MAX_TEXT = {"stated_problem": 2_000, "note": 2_000}
_MAX_WORD = 64
_MAX_OWN = 32
_SPACE = re.compile(r"\s")


def snake(name: str) -> str:
    """A word of the taxonomy from an event's name: ``Demo Requested``, ``demoRequested`` and
    ``demo-requested`` are one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return (
        "_".join(part for part in _WORD_EDGES.split(plain.strip()) if part)
        .lower()[:_MAX_WORD]
        .strip("_")
    )


def identifiers_of(call: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    user, anonymous, email = (
        text_of(call.get("userId")),
        text_of(call.get("anonymousId")),
        text_of(traits.get("email")),
    )
    # many use the address as the user's id; it is the same person as by form or list
    if is_address(user):
        email, user = email or user, "" if not email or email.lower() == user.lower() else user
    return {
        name: value
        for name, value in (("email", email), ("user", user), ("anonymous", anonymous))
        if value
    }


def is_address(text: str) -> bool:
    """Whether an id is an e-mail address."""
    local, _, domain = text.partition("@")
    return bool(local) and "." in domain[1:-1] and "@" not in domain and not _SPACE.search(text)


def person_of(traits: Mapping[str, Any]) -> dict[str, Any]:
    person = {
        field: text_of(traits[name]) for name, field in _PERSON_TRAITS.items() if name in traits
    }
    company = traits.get("company")
    person["company"] = text_of(company.get("name") if isinstance(company, Mapping) else company)
    if not person.get("first_name") and not person.get("last_name"):
        person["first_name"], _, person["last_name"] = text_of(traits.get("name")).partition(" ")
    cut = {
        name: value if name == "email" else value[: _MAX_TEXT.get(name, 200)]
        for name, value in person.items()
    }
    return {name: value for name, value in cut.items() if value}


def profile_of(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The listed traits, of the person, the company and the address; and all of ``traits.profile``,
    where a sender puts the fields that its agreement has besides."""
    company, address = object_of(traits, "company"), object_of(traits, "address")
    profile: dict[str, Any] = {}
    for part in filter(None, (traits, company, address)):
        for name, field in _PROFILE_TRAITS.items():
            if name in part and (text := safe(field, part[name])) is not None:
                profile.setdefault(field, text)
    for name, value in list(object_of(traits, "profile").items())[:_MAX_OWN]:
        try:
            profile |= profile_fields({snake(name): value})
        except ValueError:
            continue
    return profile


def safe(name: str, value: Any) -> str | None:
    """A value that may go where no personal data may, cut to its limit; None for one that may
    not."""
    try:
        return profile_text(name, value[:200] if isinstance(value, str) else value)
    except ValueError:
        return None


def first_safe(properties: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next(
        (text for name in names if name in properties and (text := safe(name, properties[name]))),
        None,
    )


def topics_of(value: Any) -> list[str]:
    words = (
        [snake(text) for text in value[:16] if isinstance(text, str)]
        if isinstance(value, list)
        else []
    )
    return [word for word in words if word]


def path_of(properties: Mapping[str, Any]) -> str | None:
    """The path of a page; never its query, which carries addresses and tokens."""
    value = properties.get("path") or properties.get("url")
    try:
        return safe("path", urlsplit(value).path) if isinstance(value, str) else None
    except ValueError:
        return None


def host_of(value: Any) -> str | None:
    try:
        return urlsplit(value).hostname if isinstance(value, str) else None
    except ValueError:
        return None


def object_of(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def text_of(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join((value if isinstance(value, str) else number_text(value)).split())

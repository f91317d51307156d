"""From an event line to the record of ``intake.keyed.v1``: ids derived, company domain known, personal data apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from baton.contracts.intake import (
    Act,
    Command,
    Consent,
    Engagement,
    Identifier,
    IdentifierScheme,
    IntakeRecord,
    Person,
)
from baton.ids import derived_id
from baton.intake.fields import country_code
from baton.intake.identifiers import canonical, company_domain, identity_key, phone
from baton.intake.lines import TELLS_PERSON, EventLine

DEFAULT_SOURCE = "inbox"
_NOT_CONTENT = {"id", "source", "arrived_at"}


def event_id_of(source: str, own_id: str) -> str:
    """Our id of the event that ``source`` calls ``own_id``."""
    return derived_id("event", source, own_id)


def content_id(line: EventLine, *, without: frozenset[str] = frozenset()) -> str:
    """An id that follows from what the line says, for a line that has none: the same content is the same event."""
    content = line.model_dump(mode="json", exclude=_NOT_CONTENT | without, exclude_defaults=True)
    return derived_id("content", to_json(_sorted(content)).decode())


def to_intake(line: EventLine, *, source: str = DEFAULT_SOURCE, received_at_ms: int | None = None) -> IntakeRecord:
    """The record of a line. ``source`` is who sent it, where the line does not say.

    ``received_at_ms``: log time of its receipt, where it is known; a later ``occurred_at`` is then clamped to it. Where it is not (the
    gateway has no log time), ``identify`` clamps, which looks at every record again.
    """
    source = line.source or source
    identifiers = line.identifiers.strongest_first()
    person = _person(line, identifiers) if line.kind in TELLS_PERSON else None
    if person and person.email:
        identifiers = _with_email(identifiers, person.email)
    occurred = line.occurred_at if received_at_ms is None else min(line.occurred_at, received_at_ms)
    return IntakeRecord(
        event_id=event_id_of(source, line.id or content_id(line)),
        source=source,
        kind=line.kind.value,
        occurred_at_ms=occurred,
        identifiers=identifiers,
        engagement=_engagement(line),
        profile=_profile(line.profile, person),
        person=person,
        consent=Consent(**line.consent.model_dump()) if line.consent else None,
        act=Act(**_plain(line.act.model_dump())) if line.act else None,
        command=Command(**_plain(line.command.model_dump())) if line.command else None,
        retracts=line.retracts and event_id_of(line.retracts_source or source, line.retracts),
        backfill=line.backfill,
        clamped=occurred != line.occurred_at,
    )


def key_of(record: IntakeRecord) -> str:
    """The key of ``intake.keyed.v1``: the digest of the strongest identifier."""
    return identity_key(record.identifiers[0])


def _engagement(line: EventLine) -> Engagement | None:
    part = line.engagement
    return Engagement(**{**part.model_dump(), "topics": tuple(part.topics)}) if part else None


def _profile(given: Mapping[str, str], person: Person | None) -> Mapping[str, str]:
    profile = dict(given)
    if "country" in profile:
        profile["country"] = country_code(profile["country"]) or profile["country"]
    told = (profile.pop("domain", None), profile.pop("website", None), person.email if person else None)
    domains = (company_domain(text) for text in told if text)
    domain = next((each for each in domains if each), None)
    if domain:
        profile["domain"] = domain
    if person and person.email:
        profile.setdefault("email_kind", "company" if company_domain(person.email) else "free")
    return profile


def _person(line: EventLine, identifiers: tuple[Identifier, ...]) -> Person | None:
    told = line.person.model_dump(exclude_none=True) if line.person else {}
    if "phone" in told:
        told["phone"] = phone(told["phone"], country_code(line.profile.get("country", "")))
    addresses = [each.value for each in identifiers if each.scheme == IdentifierScheme.EMAIL]
    if addresses:
        told.setdefault("email", addresses[0])
    return Person(**told) if told else None


def _with_email(identifiers: tuple[Identifier, ...], address: str) -> tuple[Identifier, ...]:
    order = list(IdentifierScheme)
    found = {*identifiers, canonical(IdentifierScheme.EMAIL, address)}
    return tuple(sorted(found, key=lambda each: (order.index(IdentifierScheme(each.scheme)), each.value)))


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "kind": fields["kind"].value}


def _sorted(value: Any) -> Any:
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, dict) else value

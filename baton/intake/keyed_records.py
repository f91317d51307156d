"""From an event line to the record of ``intake.keyed.v1``: ids derived, company domain known,
personal data apart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from baton.contracts.acts import DealContact
from baton.contracts.identity import IDENTIFIER_KINDS, Identifier, IdentifierScheme
from baton.contracts.intake import (
    Act,
    Command,
    Consent,
    Engagement,
    IntakeRecord,
    Person,
)
from baton.derived_ids import derived_id
from baton.evolve import maker
from baton.intake.act_parts import ActPart, CommandPart
from baton.intake.identifiers import company_domain, email, identity_key
from baton.intake.line_parts import EngagementPart
from baton.intake.lines import CARRIES_PERSON, EventLine
from baton.intake.phones import phone
from baton.intake.placeholders import is_placeholder
from baton.intake.profile_values import SUBDIVISION, normalised_profile, subdivision_of
from baton.intake.unknown import says_nothing

DEFAULT_SOURCE = "inbox"
_NOT_CONTENT = {"id", "source", "arrived_at"}
_COMPANY_FIELDS = ("domain", "website")
_EMAIL = IdentifierScheme.EMAIL.value
_record, _engagement_record, _person_record = maker(IntakeRecord), maker(Engagement), maker(Person)
_ORDER = {scheme: place for place, scheme in enumerate(IDENTIFIER_KINDS)}


def event_id_of(source: str, own_id: str) -> str:
    """Our id of the event that ``source`` calls ``own_id``."""
    return derived_id("event", source, own_id)


def content_id(line: EventLine, *, without: frozenset[str] = frozenset()) -> str:
    """An id that follows from what the line says, for a line that has none: the same content is the
    same event."""
    content = line.model_dump(mode="json", exclude=_NOT_CONTENT | without, exclude_defaults=True)
    return derived_id("content", to_json(_sorted(content)).decode())


def to_intake(
    line: EventLine, *, source: str = DEFAULT_SOURCE, received_at_ms: int | None = None
) -> IntakeRecord:
    """The record of a line. ``source`` is who sent it, where the line does not say.

    ``received_at_ms``: log time of its receipt, where it is known; a later ``occurred_at`` is then
    clamped to it. Where it is not (the gateway has no log time), ``identify`` clamps, which looks
    at every record again.
    """
    source = line.source or source
    identifiers = line.identifiers.strongest_first()
    profile, unread = normalised_profile(line.profile)
    person, misread = _person(line, identifiers, profile.get("country"))
    profile, derived, homeless = _with_company(profile, person)
    uncertain = _paths(_placeholders(line, len(identifiers)), (*unread, *homeless), misread)
    if person and person.email:
        identifiers = _with_email(identifiers, person.email)
    occurred = line.occurred_at if received_at_ms is None else min(line.occurred_at, received_at_ms)
    return _record(
        event_id=event_id_of(source, line.id or content_id(line)),
        source=source,
        kind=line.kind.value,
        occurred_at_ms=occurred,
        identifiers=identifiers,
        engagement=_engagement(line.engagement) if line.engagement else None,
        profile=profile,
        derived=derived,
        unread=uncertain,
        person=person,
        consent=Consent(**vars(line.consent)) if line.consent else None,
        act=_act(line.act) if line.act else None,
        command=_command(line.command) if line.command else None,
        retracts=line.retracts and event_id_of(line.retracts_source or source, line.retracts),
        backfill=line.backfill,
        update_only=line.update_only,
        clamped=occurred != line.occurred_at,
    )


def _placeholders(line: EventLine, naming: int) -> tuple[str, ...]:
    """Schemes with a placeholder; ``naming``: how many identifiers name somebody."""
    return () if naming == line.identifiers.given else line.identifiers.placeholders()


def key_of(record: IntakeRecord) -> str:
    """The key of ``intake.keyed.v1``: the digest of the strongest identifier."""
    return identity_key(record.identifiers[0])


# The fields of a part are those of its record. vars() has them as they are; dict() and model_dump()
# take several times as long.
def _engagement(part: EngagementPart) -> Engagement:
    return _engagement_record(**{**vars(part), "topics": tuple(part.topics)})


def _act(part: ActPart) -> Act:
    fields = {**vars(part), "kind": part.kind.value, "objections": tuple(part.objections)}
    if part.contacts is not None:
        fields["contacts"] = tuple(DealContact(**vars(contact)) for contact in part.contacts)
    return Act(**fields)


def _command(part: CommandPart) -> Command:
    return Command(**{**vars(part), "kind": part.kind.value})


def _paths(
    schemes: Sequence[str], fields: Sequence[str], misread: Sequence[str]
) -> tuple[str, ...]:
    if not (schemes or fields or misread):
        return ()
    return (
        *("identifiers." + scheme for scheme in schemes),
        *("profile." + name for name in sorted(fields)),
        *("person." + name for name in misread),
    )


def _with_company(
    profile: dict[str, str], person: Person | None
) -> tuple[dict[str, str], tuple[str, ...], list[str]]:
    """The profile with what follows from it: the account's domain, the kind of the address, the
    subdivision. Then the names of those that nobody sent, and of the hosts that are no
    company's."""
    derived: list[str] = []
    address = person.email if person else None
    # Colleagues share the part behind the @, and so what was found for it before.
    own = company_domain("@" + address.rpartition("@")[2]) if address else None
    homeless: list[str] = []
    domain = None
    for name in _COMPANY_FIELDS:
        if name in profile:
            found = company_domain(profile.pop(name))
            domain = domain or found
            if found is None:
                homeless.append(name)
    if domain or own:
        profile["domain"] = domain or own or ""
        if not domain:
            derived.append("domain")
    if address and "email_kind" not in profile:
        profile["email_kind"] = "company" if own else "free"
        derived.append("email_kind")
    if SUBDIVISION not in profile and (subdivision := subdivision_of(profile)):
        profile[SUBDIVISION] = subdivision
        derived.append(SUBDIVISION)
    return profile, tuple(derived), homeless


def _person(
    line: EventLine, identifiers: tuple[Identifier, ...], country: str | None
) -> tuple[Person | None, list[str]]:
    """The person of an event, without what says nothing; then the names of what could not be
    read."""
    if line.kind not in CARRIES_PERSON:
        return None, []
    given = vars(line.person).items() if line.person else ()
    known = {name: value for name, value in given if value and not says_nothing(value)}
    unread: list[str] = []
    if "phone" in known and (number := phone(known["phone"], country)) != known["phone"]:
        known["phone"] = number
    if "email" in known and is_placeholder(_EMAIL, known["email"]):
        known["email"] = None
    for name in ("email", "phone"):
        if name in known and known[name] is None:
            unread.append(name)
            del known[name]
    if "email" not in known:
        address = next((one.value for one in identifiers if one.scheme == _EMAIL), None)
        if address is not None:
            known["email"] = address
    return (_person_record(**known) if known else None), unread


def _with_email(identifiers: tuple[Identifier, ...], address: str) -> tuple[Identifier, ...]:
    one_form = email(address)
    if any(
        identifier.scheme == _EMAIL and identifier.value == one_form for identifier in identifiers
    ):
        return identifiers
    found = (*identifiers, Identifier(scheme=_EMAIL, value=one_form))
    return tuple(
        sorted(found, key=lambda identifier: (_ORDER[identifier.scheme], identifier.value))
    )


def _sorted(value: Any) -> Any:
    return (
        {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, dict) else value
    )

"""What a form says of a buyer, and the event line that their claim is. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from baton.derived_ids import derived_id
from baton.intake.identifiers import company_domain
from baton.intake.identifiers import email as address_of
from baton.intake.line_reading import LineRefused, read_line
from baton.intake.profile_values import normalised_profile
from services.delivery.store.view import email_digest

SOURCE: Final = "concierge"
_PERSON: Final = ("email", "phone", "first_name", "last_name", "company", "stated_problem")


class FormWrong(ValueError):
    """The form cannot be answered; the text says why, without what was in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who fills in the form: ``digest`` of the address, the account, and the profile as intake
    writes it."""

    digest: str
    account_id: str | None
    profile: Mapping[str, str]


def buyer_of(fields: Mapping[str, str]) -> Buyer:
    """Raises :class:`FormWrong`."""
    try:
        address = address_of(fields.get("email", ""))
    except ValueError:
        raise FormWrong("the form needs a mail address") from None
    given = {name: text for name, text in fields.items() if name not in _PERSON}
    domain = company_domain(address)
    if domain is not None:
        given.setdefault("domain", domain)
    profile, _ = normalised_profile(given)
    return Buyer(digest=email_digest(address), account_id=domain, profile=profile)


def check_form(fields: Mapping[str, str], act: str, now_ms: int) -> None:
    """Raises :class:`FormWrong` where the claim's event would be refused by the intake: nobody is
    promised to a buyer whose event would not come."""
    line = claim_line("", fields, act, now_ms)
    try:
        read_line(json.dumps(line).encode())
    except LineRefused as error:
        raise FormWrong(f"the form cannot be taken: {error}"[:300]) from None


def form_digest(fields: Mapping[str, str]) -> str:
    """Of what was filled in."""
    return derived_id("form", json.dumps(dict(sorted(fields.items()))))


def claim_line(buyer: str, fields: Mapping[str, str], act: str, since_ms: int) -> dict[str, Any]:
    """The claim as an event for the inbox; the same claim has the same id."""
    person = {name: fields[name] for name in _PERSON if fields.get(name) and name != "email"}
    profile = {name: text for name, text in fields.items() if name not in _PERSON}
    at = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat(timespec="milliseconds")
    line: dict[str, Any] = {
        "id": derived_id(SOURCE, buyer, since_ms),
        "source": SOURCE,
        "kind": "engagement",
        "occurred_at": at,
        "identifiers": {"email": fields["email"]},
        "engagement": {"act": act},
    }
    parts = {"person": person, "profile": profile}
    return line | {name: part for name, part in parts.items() if part}

"""What every task reads whole: agreements and people's absences. Times are ``..._ms``, UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRecord:
    """``baton.agreements.v1``: one act in the life of an agreement, keyed by its own ``record_id``;
    or a part of a book that an agreement names by its hash.

    ``kind``: ``approved`` (a side signs ``version``) or ``published`` (in force from
    ``effective_at_ms``, at the earliest ten seconds after its append time; the first one ever is in
    force for all time before it too). ``text`` is the canonical JSON whose hash ``version`` is;
    ``source`` the YAML it was read from. ``book``: ``content`` is part ``part`` (from 0) of
    ``parts`` of the packed rows whose hash ``version`` is; an agreement that names it is not in
    force before all parts are there. ``challenger``: scores ``share_ppm`` millionths of the
    accounts until ``until_ms``, beside the agreement in force; ``challenger_stopped`` ends it.
    ``by`` is who signed, as they call themselves; ``account`` as whom the way in knew them: the
    brokers' user, else the account on the machine.
    """

    record_id: str
    kind: str
    version: str
    side: str | None = None
    by: str | None = None
    effective_at_ms: int | None = None
    text: str | None = None
    source: str | None = None
    part: int | None = None
    parts: int | None = None
    content: bytes | None = None
    share_ppm: int | None = None
    until_ms: int | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRecord:
    """``baton.people.v1``: an absence of a person (half-open interval), or its cancellation, keyed
    by ``record_id``. It counts from ten seconds after its append time."""

    record_id: str
    person: str
    from_ms: int
    until_ms: int
    reason: str = "away"
    cancelled: bool = False

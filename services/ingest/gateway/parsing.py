"""From the events of a body to records and refusals: each on its own, so that a bad one does not
cost the others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from baton.contracts.intake import IntakeRecord
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused
from baton.intake.lines import EventLine
from services.ingest.gateway.problem_details import Refused, errors_of, refused_line
from services.ingest.gateway.request_body import MAX_EVENTS
from services.ingest.gateway.write_keys import SCOPE_OF_KIND, WriteKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """The events of a body, and how to read one; ``read`` raises :class:`LineRefused`.

    ``alone``: the body is one event, and what is wrong with it is the answer to the request.
    ``may_be_empty``: a body without events is a success (a client's own metrics). ``kept_as``: the
    bytes of an event that becomes a dead letter where it cannot be taken; without it a body of
    nothing but bad events is refused.
    """

    items: Sequence[Any]
    read: Callable[[Any], EventLine]
    alone: bool = False
    may_be_empty: bool = False
    kept_as: Callable[[Any], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """An event of a request that is not taken. ``index`` counts from 0; ``kept``: its bytes, where
    it becomes a dead letter."""

    index: int
    refused: LineRefused
    kept: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a request holds: records to publish, and what is wrong with the rest."""

    records: tuple[IntakeRecord, ...]
    bad: tuple[Bad, ...] = ()

    def rejected(self) -> list[dict[str, Any]]:
        """The refusals as members of an answer.

        Every event with all that is wrong with it; once there are many, with the first of it.
        """
        listed: list[dict[str, Any]] = []
        for bad in self.bad:
            problems = (
                bad.refused.problems if len(listed) < MAX_EVENTS else bad.refused.problems[:1]
            )
            listed += errors_of(problems, index=bad.index, code=bad.refused.code)
        return listed


class OutOfScope(LineRefused):
    """The key may not send this kind of event."""


def take(body: Unpacked, key: WriteKey) -> Taken:
    """The records of a body, by the rights of a key; raises :class:`Refused` where nothing can be
    taken."""
    if body.alone:
        return _take_one(body, key)
    if len(body.items) > MAX_EVENTS:
        detail = f"A request may have {MAX_EVENTS} events; send several smaller ones."
        raise Refused(413, "too_many", detail)
    records, bad = [], []
    for index, item in enumerate(body.items):
        try:
            records.append(_record(item, body, key))
        except LineRefused as refused:
            kept = body.kept_as(item) if body.kept_as else None
            bad.append(Bad(index=index, refused=refused, kept=kept))
    taken = Taken(records=tuple(records), bad=tuple(bad))
    if not records and not body.kept_as and not (body.may_be_empty and not bad):
        raise _nothing_taken(taken)
    return taken


def _take_one(body: Unpacked, key: WriteKey) -> Taken:
    (item,) = body.items
    try:
        return Taken(records=(_record(item, body, key),))
    except OutOfScope as refused:
        raise Refused(403, "out_of_scope", str(refused)) from None
    except LineRefused as refused:
        raise refused_line(refused) from None


def _nothing_taken(taken: Taken) -> Refused:
    if taken.bad and all(isinstance(bad.refused, OutOfScope) for bad in taken.bad):
        detail = "This key may send none of these events."
        return Refused(403, "out_of_scope", detail, errors=taken.rejected())
    return Refused(
        422, "nothing_taken", "None of the events could be taken.", errors=taken.rejected()
    )


def _record(item: Any, body: Unpacked, key: WriteKey) -> IntakeRecord:
    line = body.read(item)
    if not key.may(line.kind):
        scope = SCOPE_OF_KIND[line.kind].value
        raise OutOfScope.of("out_of_scope", f"needs a key with scope {scope}", field="kind")
    return to_intake(line, source=key.name)

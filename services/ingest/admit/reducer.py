"""admit: what outside systems produce to ``leads.inbox.v1``, checked, normalised and keyed by who
it is about. Stateless.

A value is one event line (:mod:`baton.intake.lines`) as JSON: plain, as a structured CloudEvent
(the line is its ``data``), or as the data of a binary one (``ce_*`` headers). What a line leaves
out is taken from the CloudEvent: ``id``, ``source``, ``occurred_at``.

Whatever else comes is rejected with a code and the fields, at bounded cost, and never raises: a
dead letter is the outside's, an exception would be ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from baton.contracts.codec import framed_schema_id
from baton.contracts.schemas import shelf
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_INBOX
from baton.engine.reducer import Event, Fact, Reducer, Reference, Rejection, Step, View
from baton.intake.cloudevents_envelope import attributes_of, line_of, unwrapped
from baton.intake.keyed_records import DEFAULT_SOURCE, key_of, to_intake
from baton.intake.line_reading import LineRefused, read_line, read_object
from baton.intake.lines import MAX_EVENT_BYTES

_MAX_REASON_CHARACTERS = 1_000
_MAX_HEADERS = 64


class Admit(Reducer[None, Reference]):
    """The reducer of the inbox; see the module."""

    name: ClassVar[str] = "admit"
    service: ClassVar[str] = "ingest"
    inputs: ClassVar[tuple[str, ...]] = (LEADS_INBOX,)
    outputs: ClassVar[tuple[str, ...]] = (INTAKE_KEYED,)
    head_type: ClassVar[type[Any] | None] = None

    def step(self, view: View[None], event: Event, *, now: int, reference: Reference) -> Step[None]:
        """Take one record of the outside, or reject it."""
        try:
            line, source = _line(event)
            record = to_intake(read_line(line), source=source, received_at_ms=event.received_at_ms)
        except LineRefused as refused:
            return Step(
                head=None, rejected=Rejection(refused.code, str(refused)[:_MAX_REASON_CHARACTERS])
            )
        return Step(head=None, facts=(Fact(INTAKE_KEYED, key_of(record), record),))


def _line(event: Event) -> tuple[Mapping[str, Any], str]:
    raw = event.value if isinstance(event.value, bytes) else b""
    if not raw:
        raise LineRefused.of("empty", "has no value; an event is a JSON object")
    if raw[0] == 0:
        raise _framed(raw)
    attributes = attributes_of(event.headers[:_MAX_HEADERS])
    content = read_object(raw)
    if "specversion" in content:
        content, attributes = unwrapped(content)
    line = line_of(content, attributes)
    source = line.get("source")
    return line, source if isinstance(source, str) else DEFAULT_SOURCE


def _framed(raw: bytes) -> LineRefused:
    """Avro in a registry's frame: no schema of ours is one for the outside, so the id says only how
    to put it."""
    if 5 <= len(raw) <= MAX_EVENT_BYTES:
        schema_id = framed_schema_id(raw)
        file = shelf().by_id(schema_id)
        if file is None:
            return LineRefused.of(
                "unknown_schema",
                f"is framed with schema id {schema_id}, which is not known; events are JSON",
            )
        return LineRefused.of(
            "wrong_schema", f"is framed as {file.record}, which is not taken here; events are JSON"
        )
    return LineRefused.of(
        "malformed", "begins with a zero byte and is no framed record; events are JSON"
    )

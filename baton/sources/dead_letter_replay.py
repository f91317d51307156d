"""Dead letters of a source, mapped anew: after its description was mended, what it could not take
becomes event lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton.intake.line_reading import LineRefused
from baton.sources.bodies import read_body
from baton.sources.mapping import SourceMapping, is_no_event
from baton.sources.source_model import SourceModel

SOURCE_HEADER = "baton_source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of a record: the line to send, or why there is still none."""

    line: bytes | None = None
    problem: str = ""


class Replay:
    """Maps the dead letters of one source."""

    def __init__(
        self, name: str, model: SourceModel, people: Mapping[str, str] | None = None
    ) -> None:
        self._name = name
        self._model = model
        self._mapping = SourceMapping(model, people)

    def of(self, value: bytes, received_at_ms: int) -> Iterator[Replayed]:
        """The event lines of a dead letter, a record or a whole body."""
        try:
            records = self._records(value, received_at_ms)
        except LineRefused as refused:
            yield Replayed(problem=str(refused))
            return
        for record in records:
            if is_no_event(self._model, self._mapping, record):
                continue
            try:
                self._mapping.read(record, received_at_ms)
                line = self._mapping.line_of(record, received_at_ms)
                yield Replayed(line=json.dumps({"source": self._name, **line}).encode())
            except LineRefused as refused:
                yield Replayed(problem=str(refused))

    def _records(self, value: bytes, received_at_ms: int) -> list[Any]:
        try:
            record = json.loads(value)
        except ValueError:
            record = None
        if isinstance(record, dict):
            return [record]
        return self._mapping.records_in(read_body(value, self._model.format, received_at_ms))

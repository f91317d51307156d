"""From a record of a source to an event line, by its rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.intake.line_reading import LineRefused, read_line
from baton.intake.lines import EventLine
from baton.sources.expressions import Expression, options_with
from baton.sources.source_model import SourceModel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    when: Expression | None
    line: Mapping[str, Expression]


class SourceMapping:
    """The compiled rules of one source. ``people``: ids of people elsewhere, and who they are in
    the agreement."""

    def __init__(self, model: SourceModel, people: Mapping[str, str] | None = None) -> None:
        self._options = options_with(people or {})
        self._split = Expression(model.split) if model.split else None
        self._ignore = Expression(model.ignore) if model.ignore else None
        self._rules = tuple(
            _Rule(
                when=Expression(rule.when) if rule.when else None,
                line={name: Expression(text) for name, text in rule.line.items()},
            )
            for rule in model.events
        )

    def records_in(self, body: Any) -> list[Any]:
        """The records of a body; raises :class:`LineRefused` where it has none to split into."""
        found = body
        if self._split is not None and isinstance(body, list | dict):
            found = self._split.value(body, self._options)
        if isinstance(found, list):
            return found
        if isinstance(found, dict):
            return [found]
        raise LineRefused.of(
            "wrong_type", "is neither an object nor a list of objects", field="body"
        )

    def is_ignored(self, record: Any) -> bool:
        """Whether the source says that such a record is no event."""
        return self._ignore is not None and self._ignore.value(record, self._options) is True

    def line_of(self, record: Any, received_at_ms: int) -> dict[str, Any]:
        """The event line of a record, as an object; raises :class:`LineRefused` where no rule is
        for it."""
        for rule in self._rules:
            if rule.when is None or rule.when.value(record, self._options) is True:
                line = self._assembled(rule.line, record)
                if "occurred_at" not in rule.line:
                    line["occurred_at"] = received_at_ms
                return line
        raise LineRefused.of("no_rule", "no rule of the source is for such a record")

    def read(self, record: Any, received_at_ms: int) -> EventLine:
        """The same, checked."""
        line = self.line_of(record, received_at_ms)
        if line.get("id") is None:
            # Without an id of the source's own a resend would be another event.
            raise LineRefused.of("invalid", "cannot be computed from the record", field="id")
        return read_line(line)

    def _assembled(self, fields: Mapping[str, Expression], record: Any) -> dict[str, Any]:
        line: dict[str, Any] = {}
        for name, expression in fields.items():
            value = expression.value(record, self._options)
            if value is None or value == []:
                continue
            part, _, field = name.partition(".")
            if field:
                line.setdefault(part, {})[field] = value
            else:
                line[part] = value
        return line


def is_no_event(source: SourceModel, mapping: SourceMapping, record: Any) -> bool:
    """Whether a record is left alone: the source ignores it, or a machine has filled in a form.
    What is no object is never left alone, since nothing can be said of it."""
    if not isinstance(record, dict):
        return False
    fields = record.get("fields")
    honeypot = source.form.honeypot if source.form else None
    if honeypot and isinstance(fields, dict) and fields.get(honeypot):
        return True
    return mapping.is_ignored(record)

"""What a record changes on the board: rows, names to forget, leads to derive anew. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.public_record import PublicRecord
from baton.evolve import quick
from services.insights.facts.intake_tables import FACT
from services.insights.facts.table import Table


@quick
@dataclass(frozen=True, slots=True)
class Put:
    """A row of a table of facts, in the order of its columns. ``keeps``: the record whose bytes
    are in it."""

    table: Table
    row: tuple[Any, ...]
    keeps: Any = None


@dataclass(frozen=True, slots=True)
class Forget:
    """A person is to be forgotten: every name of the lead goes."""

    lead_id: str


@quick
@dataclass(frozen=True, slots=True)
class Touched:
    """The derived rows of this lead are to be made anew."""

    lead_id: str


Change = Put | Forget | Touched


def put(table: Table, **values: Any) -> Put:
    """A row from named values; raises TypeError for a column that is missing or too much."""
    try:
        row = stored([values[name] for name in table.names])
    except KeyError as error:
        raise TypeError(f"{table.name} needs {error}") from None
    if len(row) != len(values):
        raise TypeError(f"{table.name} has no {sorted(values.keys() - set(table.names))}")
    return Put(table, row)


def row_of(table: Table, taken: PublicRecord, record: Any, **given: Any) -> Put:
    """A row whose columns are the record's fields of the same names, but for those in ``given``,
    and the place of the record in the log; raises TypeError for a column that none of them has."""
    values = {"log_ms": taken.at_ms, "log_offset": taken.offset, "fact_id": taken.id, **given}
    plan = _plan(table.names, tuple(values))
    try:
        values.update(zip(plan.of_record, plan.fields(record), strict=True))
    except AttributeError as error:
        raise TypeError(f"{table.name}: {error}") from None
    return Put(table, stored(plan.in_order(values)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a row is gathered: the columns ``of_record``, read by ``fields``, and all of them
    ``in_order``."""

    of_record: tuple[str, ...]
    fields: Callable[[Any], Iterable[Any]]
    in_order: Callable[[Mapping[str, Any]], Sequence[Any]]


@lru_cache(maxsize=512)
def _plan(names: tuple[str, ...], given: tuple[str, ...]) -> _Plan:
    of_record = tuple(name for name in names if name not in given)
    fields = attrgetter(*of_record) if len(of_record) > 1 else _few_of(of_record)
    return _Plan(of_record, fields, itemgetter(*names))


def _few_of(names: tuple[str, ...]) -> Callable[[Any], Iterable[Any]]:
    """``attrgetter`` gives no tuple for one name, and takes no fewer."""
    return lambda record: [getattr(record, name) for name in names]


def stored(values: Iterable[Any]) -> tuple[Any, ...]:
    """Values as they are stored: a truth is 0 or 1, several words are one text. PostgreSQL has no
    text with the character NUL, so it is left out everywhere."""
    return tuple(
        [
            value
            if value is None
            or (kind := type(value)) is int
            or (kind is str and "\x00" not in value)
            else _cell(value, kind)
            for value in values
        ]
    )


def _cell(value: Any, kind: type) -> Any:
    if kind is bool:
        return int(value)
    if isinstance(value, tuple):
        value = ";".join(value)
    return value.replace("\x00", "") if isinstance(value, str) and "\x00" in value else value


def kept_fact(taken: PublicRecord, lead_id: str, value: Any) -> Iterator[Change]:
    """The record as it is kept for the lead's page, and the wish to make the lead's row anew."""
    kind: Any = type(value)
    is_whole = value is taken.value and taken.raw is not None
    encoded = taken.raw if is_whole else codec_for(kind).encode(value)
    row = [lead_id, taken.topic, taken.id, taken.at_ms, taken.offset, encoded]
    yield Put(FACT, stored(row), keeps=value)
    yield Touched(lead_id)

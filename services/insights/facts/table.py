"""What a table of the board is. Pure.

Tables of facts hold what a topic said, each row once (``key``). Of a table with ``latest`` the row
of the latest record stays, whatever the order of arrival. Derived tables are functions of the
others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

TEXT: Final = "TEXT"
INTEGER: Final = "INTEGER"
BLOB: Final = "BLOB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``nullable``: not every row has it; ``is_moment``: milliseconds since 1970, UTC,
    and no length of time."""

    name: str
    type: str
    says: str
    nullable: bool = False
    is_moment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. ``latest``: a row is replaced by that of a later record, by ``log_ms`` and
    ``log_offset``. ``sums``: the columns besides the key are sums over rows of other tables, or
    the highest value where ``highest`` names them. ``indexes``: columns, an index a tuple.
    ``exported``: may leave the board; ``person`` and blobs may not."""

    name: str
    says: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    latest: bool = False
    derived: bool = False
    sums: bool = False
    highest: tuple[str, ...] = ()
    exported: bool = True
    indexes: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))


def columns(text: str) -> tuple[Column, ...]:
    """``name type says``, one column a line; ``?`` after the type: not every row has it; ``t``
    text, ``i`` integer, ``m`` moment, ``b`` bytes."""
    types = {"t": TEXT, "i": INTEGER, "m": INTEGER, "b": BLOB}
    found = []
    for line in filter(str.strip, text.splitlines()):
        name, kind, says = line.split(maxsplit=2)
        column = Column(
            name=name,
            type=types[kind[0]],
            says=says,
            nullable=kind.endswith("?"),
            is_moment=kind.startswith("m"),
        )
        found.append(column)
    return tuple(found)


LOG: Final = """
    log_ms m when the record was appended, ms
    log_offset i its offset
"""
"""The columns by which the latest record is reported, for tables with ``latest``."""

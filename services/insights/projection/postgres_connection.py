"""A connection to PostgreSQL that is spoken to as one to SQLite is. psycopg is loaded where it is
needed, since only teams with more than one board have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

_CONNECT_S: Final = 10

Values = Sequence[Any] | Mapping[str, Any]


class PostgresMissing(RuntimeError):
    """The driver is not installed; the text says how to have it."""


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A store in PostgreSQL: one schema of the database at ``url``. ``board``: what the schemas of
    one namespace have in common."""

    url: str
    board: str
    number: int

    @property
    def schema(self) -> str:
        """Its schema."""
        return f"{self.board}_{self.number}"

    def __str__(self) -> str:
        return f"schema {self.schema}"


def away_errors() -> tuple[type[Exception], ...]:
    """What a database raises that does not answer; it may answer again."""
    try:
        import psycopg
    except ModuleNotFoundError:
        return ()
    return (psycopg.OperationalError, psycopg.InterfaceError)


def _psycopg() -> Any:
    try:
        import psycopg
    except ModuleNotFoundError:
        raise PostgresMissing(
            "BATON_INSIGHTS_URL names a PostgreSQL, which needs psycopg: "
            "pip install 'baton[postgres]'"
        ) from None
    return psycopg


class PostgresConnection:
    """A connection to one schema that is spoken to as SQLite is: the same statements, the same
    methods of the results. ``place.schema`` need not exist. A writer's statements are prepared."""

    def __init__(self, place: PostgresPlace, *, writes: bool = False) -> None:
        psycopg, self._writes = _psycopg(), writes
        self._db = psycopg.connect(
            place.url,
            autocommit=True,
            connect_timeout=_CONNECT_S,
            cursor_factory=psycopg.Cursor if writes else _reading_cursor(),
            options=f"-c search_path={place.schema} -c timezone=UTC",
            application_name="baton insights",
        )
        for name, loader in _loaders().items():
            self._db.adapters.register_loader(name, loader)

    def execute(self, statement: str, values: Values = ()) -> Any:
        return self._db.execute(translated(statement), _named(statement, values))

    def executemany(self, statement: str, rows: Iterable[Values]) -> int:
        """How many rows were written, over all of them."""
        with self._db.cursor() as cursor:
            cursor.executemany(translated(statement), list(rows))
            written: int = cursor.rowcount
        return written

    def stream(self, statement: str, values: Values) -> Iterator[tuple[Any, ...]]:
        with self._db.cursor() as cursor:
            yield from cursor.stream(translated(statement), _named(statement, values))

    def close(self) -> None:
        """The writer's lock is given back first: the server notices only later that a connection
        has gone, and who opens the store at once would find it taken."""
        if self._writes:
            with suppress(*away_errors()):
                self._db.execute("SELECT pg_advisory_unlock_all()")
        self._db.close()


@lru_cache(maxsize=1)
def _reading_cursor() -> Any:
    psycopg = _psycopg()

    class Cursor(psycopg.ClientCursor):  # type: ignore[misc, name-defined]
        """Parameters are written into the statement by the driver, so that NULL needs no type."""

        def get_description(self) -> list[tuple[str]]:
            return [(column.name,) for column in self.description or ()]

    return Cursor


@lru_cache(maxsize=1)
def _loaders() -> dict[str, Any]:
    """Values as SQLite has them: sums of whole numbers are whole, a truth is 0 or 1."""
    psycopg = _psycopg()

    class Number(psycopg.adapt.Loader):  # type: ignore[misc, name-defined]
        def load(self, data: Any) -> int | float:
            text = bytes(data).decode()
            return float(text) if "." in text else int(text)

    class Truth(psycopg.adapt.Loader):  # type: ignore[misc, name-defined]
        def load(self, data: Any) -> int:
            return int(bytes(data) == b"t")

    return {"numeric": Number, "bool": Truth}


_NUMBERED: Final = re.compile(r"\?(\d+)")
_NAMED: Final = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_HINT: Final = re.compile(r"(?<=[\s(])\+(?=[a-z]+\.)")
"""``+column``: SQLite is not to use the index on it."""


@lru_cache(maxsize=2048)
def translated(statement: str) -> str:
    """A statement for psycopg. CROSS JOIN with a condition only fixes SQLite's order of tables."""
    text = statement.replace("%", "%%").replace("CROSS JOIN", "JOIN")
    text = _NUMBERED.sub(r"%(p\1)s", _HINT.sub("", text))
    return _NAMED.sub(r"%(\1)s", text.replace("?", "%s"))


def _named(statement: str, values: Values) -> Values | None:
    if isinstance(values, Mapping) or not _NUMBERED.search(statement):
        return values or None
    return {f"p{number}": value for number, value in enumerate(values, 1)}

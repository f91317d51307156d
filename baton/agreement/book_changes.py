"""What changes from one book to another: how many rows came, went and changed, and which, the first
ones by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from baton.agreement.books import Book
from baton.agreement.diff_forms import Change

NAMED: Final = 5
"""Rows that are named of each kind of change; the others are counted."""
_ACCOUNT: Final = "account"
_DESTINATIONS: Final = ("name", "needs", "owner", "sales", "sdr")

_Rows = Mapping[str, Mapping[str, str]]


def book_changes(name: str, old: Book | None, new: Book | None) -> Iterator[Change]:
    """In words; nothing where the rows are the same."""
    if old is None or new is None:
        if new is not None:
            yield _change("added", f"book of {name} added: {len(new.rows):,} rows")
        elif old is not None:
            yield _change("removed", f"book of {name} removed: it had {len(old.rows):,} rows")
        return
    if old.hash == new.hash:
        return
    before, after = _rows(old), _rows(new)
    yield from _counted(name, "added", [key for key in after if key not in before])
    yield from _counted(name, "removed", [key for key in before if key not in after])
    kept = [key for key in after if key in before]
    changed = [key for key in kept if before[key] != after[key]]
    words = [f"{key}: {_difference(before[key], after[key])}" for key in changed[:NAMED]]
    yield from _counted(name, "changed", words + changed[NAMED:])
    if name != "accounts" and kept != [key for key in before if key in after]:
        yield _change("moved", f"book of {name}: the order of its rows changed, and the first wins")


def _counted(name: str, kind: str, rows: Sequence[str]) -> Iterator[Change]:
    if not rows:
        return
    shown = "; ".join(rows[:NAMED])
    rest = f"; and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    plural = "row" if len(rows) == 1 else "rows"
    yield _change(kind, f"book of {name}: {len(rows):,} {plural} {kind} ({shown}{rest})")


def _rows(book: Book) -> _Rows:
    """The rows by what they ask: the account, or the fields of a territory."""
    found: dict[str, Mapping[str, str]] = {}
    for cells in book.rows:
        row = dict(zip(book.columns, cells, strict=True))
        asked = {name: cell for name, cell in row.items() if cell and name not in _DESTINATIONS}
        key = row.get(_ACCOUNT) or ", ".join(f"{name} {cell}" for name, cell in asked.items())
        to = {name: row.get(name, "") for name in _DESTINATIONS}
        # A territory may stand twice, once for each kind of queue.
        found[key] = {**to, **{n: c for n, c in found.get(key, {}).items() if c}}
    return found


def _difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name} {old[name] or 'none'} -> {new[name] or 'none'}"
        for name in _DESTINATIONS
        if old[name] != new[name]
    )


def _change(kind: str, text: str) -> Change:
    return Change(section="books", kind=kind, text=text)

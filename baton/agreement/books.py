"""Books: tables of named accounts and territories that are attached to an agreement, by content.

A book is named by the hash of its rows, which is part of what is signed; its rows travel apart from
the agreement, in parts, and are put together by their hash. Pure; files are read elsewhere
(:mod:`baton.agreement.source.book_files`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from baton.contracts.reference_records import AgreementRecord
from baton.derived_ids import derived_id

PART_BYTES: Final = 256 * 1024
LONGEST_BYTES: Final = 64 << 20
"""Of the rows as text; what unpacks to more is no book."""
_HASH_BYTES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """``columns`` and ``rows`` of cells in their order; ``hash`` names them. Cells hold no tabs and
    no line breaks."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hash: str

    @property
    def content(self) -> bytes:
        """The rows as text: lines of cells, the columns first."""
        return content_of(self.columns, self.rows)


def content_of(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    """What the hash is taken of."""
    return "\n".join("\t".join(cells) for cells in (columns, *rows)).encode()


def book_of(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Book:
    """The book of these rows."""
    known = tuple(rows)
    return Book(columns, known, _hash(content_of(columns, known)))


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=_HASH_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Books:
    """Books by their hashes, ``names``. Two of the same names are the same."""

    names: tuple[str, ...] = ()
    by_hash: Mapping[str, Book] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> Book:
        """The book of this hash. Raises KeyError where it is not here."""
        return self.by_hash[name]


NO_BOOKS: Final = Books()


def books_of(books: Iterable[Book]) -> Books:
    """These books, by their hash."""
    by_hash = {book.hash: book for book in books}
    return Books(tuple(sorted(by_hash)), by_hash)


# ---------------------------------------------------------------------- parts


def parts_of(book: Book) -> Iterator[bytes]:
    """The packed book in parts that fit into a record."""
    packed = zlib.compress(book.content, 6)
    for start in range(0, len(packed), PART_BYTES):
        yield packed[start : start + PART_BYTES]


def book_of_parts(name: str, parts: Iterable[bytes]) -> Book | None:
    """The book of the hash ``name``, put together; None where the parts are not its own."""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(b"".join(parts), LONGEST_BYTES)
        columns, *rows = (tuple(line.split("\t")) for line in content.decode().split("\n"))
    except (zlib.error, UnicodeDecodeError):
        return None
    whole = unpacking.eof and _hash(content) == name
    return Book(columns, tuple(rows), name) if whole else None


def book_records(books: Books) -> Iterator[AgreementRecord]:
    """Books in parts, as they are published. Their ids follow from their content, so a book that is
    published again takes no more room."""
    for name, book in sorted(books.by_hash.items()):
        parts = list(parts_of(book))
        for number, content in enumerate(parts):
            yield AgreementRecord(
                record_id=derived_id("book", name, number),
                kind="book",
                version=name,
                part=number,
                parts=len(parts),
                content=content,
            )


class ReceivedBooks:
    """The books whose parts have come, in whatever order."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, bytes]] = {}
        self._whole: dict[str, Book] = {}

    def take(self, record: AgreementRecord) -> bool:
        """Keep a part; whether its book is whole by it."""
        name, count = record.version, record.parts or 0
        if name in self._whole or record.part is None or record.content is None:
            return False
        parts = self._parts.setdefault(name, {})
        parts[record.part] = record.content
        if parts.keys() < set(range(count)):
            return False
        book = book_of_parts(name, (parts[number] for number in sorted(parts)))
        if book is None:
            return False
        self._whole[name] = book
        del self._parts[name]
        return True

    def have(self, names: Iterable[str]) -> bool:
        """Whether all these books are whole."""
        return set(names) <= self._whole.keys()

    def of(self, names: Iterable[str]) -> Books:
        """These books; all must be whole."""
        return books_of(self._whole[name] for name in names)

"""Section ``books``: tables of named accounts and territories in files beside the agreement."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from baton.agreement.model.base import Label, Section


class BookModel(Section):
    """One book. A file name alone stands for ``{file: NAME}``."""

    file: Label | None = Field(default=None, exclude=True)
    """A CSV file, relative to the agreement."""
    columns: dict[str, str] = Field(default_factory=dict, exclude=True)
    """Baton's name of a column: the file's. Left out: the file's are Baton's, and no other may be
    there."""
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    """Names the rows; part of what is signed. Where it is written, the file must have it."""


def _book(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


_FILE = {"type": "string", "description": "A CSV file, relative to the agreement."}
OneBook = Annotated[
    BookModel,
    BeforeValidator(_book),
    WithJsonSchema(
        {
            "anyOf": [
                _FILE,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "file": _FILE,
                        "columns": {"type": "object", "additionalProperties": {"type": "string"}},
                        "hash": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                    },
                },
            ]
        }
    ),
]


class BooksModel(Section):
    """The books of an agreement."""

    accounts: OneBook | None = None
    """Named accounts: ``account`` (its domain) with an ``owner``, or with pools (``sdr``,
    ``sales``)."""
    territories: OneBook | None = None
    """Territory rules, looked at after those of ``routing``: a column for each profile field they
    ask, the pools (``sdr``, ``sales``), and if need be ``name`` and ``needs``."""

    def hashes(self) -> dict[str, str]:
        """The hash of each book, by its name here."""
        named = (("accounts", self.accounts), ("territories", self.territories))
        return {name: book.hash for name, book in named if book is not None and book.hash}

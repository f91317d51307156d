"""What the columns of known lists are called: ``known_headers.toml``, looked up by names without
case, accents and punctuation."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A tool's export: ``marks`` are sets of columns that only it has, ``columns`` what its columns
    mean."""

    name: str
    title: str
    marks: tuple[frozenset[str], ...]
    columns: Mapping[str, str]


def header_key(name: str) -> str:
    """A column's name without case, accents, punctuation and line breaks; ``#`` stays."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss")).casefold()
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w#]+|_+", " ", letters).split())


@cache
def general() -> Mapping[str, str]:
    """Names that mean the same wherever they stand, to their field."""
    return {
        header_key(name): field for field, names in _document().general.items() for name in names
    }


@cache
def exports() -> tuple[Export, ...]:
    """All known exports."""
    return tuple(
        Export(
            name=name,
            title=table.title,
            marks=tuple(frozenset(map(header_key, mark)) for mark in table.marks),
            columns={header_key(column): field for column, field in table.columns.items()},
        )
        for name, table in _document().exports.items()
    )


def recognised(header: Sequence[str]) -> Export | None:
    """The export with the most marks in a header; None where nothing is marked."""
    names = frozenset(map(header_key, header))
    found = [
        (max(map(len, met)), export)
        for export in exports()
        if (met := [mark for mark in export.marks if mark <= names])
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


class _ExportTable(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    marks: list[list[str]]
    columns: dict[str, str]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    general: dict[str, list[str]]
    exports: dict[str, _ExportTable]


@cache
def _document() -> _Document:
    text = files("baton.importing").joinpath("known_headers.toml").read_text("utf-8")
    return _Document.model_validate(tomllib.loads(text))

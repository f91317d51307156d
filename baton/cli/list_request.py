"""A list as ``baton import`` was asked to read it: the file's terms, the mapping that was saved and
the columns that were named. What is wrong in them is reported with the option that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import typer

from baton.importing.columns import MapWrong, read_wishes
from baton.importing.list_tables import FileTerms, FileWrong
from baton.importing.lists import PeopleList, open_list
from baton.importing.mappings import SavedMapping, load_mapping, mapping_of, save_mapping
from baton.importing.terms import ImportTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """``zone``: the name that goes into the mapping which is saved to ``save``."""

    terms: ImportTerms
    reads: FileTerms
    wishes: Mapping[str, str]
    guess: bool
    zone: str | None
    save: Path | None

    def open(self, content: BinaryIO) -> PeopleList:
        """Read its header; save the mapping that was found, where that was asked for."""
        people = self._list(content)
        if self.save is not None:
            found = mapping_of(
                people.table.header,
                people.columns,
                dates=people.terms.dates,
                zone=self.zone,
                encoding=self.reads.encoding,
                delimiter=self.reads.delimiter,
                sheet=self.reads.sheet,
            )
            save_mapping(self.save, found)
        return people

    def _list(self, content: BinaryIO) -> PeopleList:
        try:
            return open_list(
                content, self.terms, file=self.reads, wishes=dict(self.wishes), guess=self.guess
            )
        except MapWrong as error:
            raise typer.BadParameter(str(error), param_hint="--map") from None
        except FileWrong as error:
            raise typer.BadParameter(str(error), param_hint="FILE") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingOptions:
    """What a mapping is made of: the file with a ``mapping``, the columns that were named
    (``wishes``), the zone's name, whether the others are guessed, and where to save it."""

    mapping: Path | None
    wishes: Sequence[str]
    zone: str | None
    guess: bool
    save: Path | None


def list_request(terms: ImportTerms, reads: FileTerms, asked: MappingOptions) -> ListRequest:
    """What was asked for goes before what was saved. With a saved mapping no column is guessed."""
    saved = _saved_mapping(asked.mapping)
    zone = asked.zone or saved.zone
    return ListRequest(
        terms=replace(terms, dates=terms.dates or saved.dates, zone=_zone_named(zone)),
        reads=FileTerms(
            encoding=reads.encoding or saved.encoding,
            delimiter=reads.delimiter or saved.delimiter,
            sheet=reads.sheet or saved.sheet,
        ),
        wishes=_named_columns(saved, asked.wishes),
        guess=asked.guess and asked.mapping is None,
        zone=zone,
        save=asked.save,
    )


def _saved_mapping(path: Path | None) -> SavedMapping:
    """The mapping in the file; one that says nothing where there is none."""
    try:
        return load_mapping(path) if path else SavedMapping(columns={})
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--mapping") from None


def _zone_named(name: str | None) -> tzinfo:
    """The time zone; UTC where none is named."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        raise typer.BadParameter(
            f"{name!r} is no time zone; zones are named like Europe/Berlin", param_hint="--zone"
        ) from None


def _named_columns(saved: SavedMapping, wishes: Sequence[str]) -> dict[str, str]:
    """The fields of columns: those that were saved, and those of ``--map`` before them."""
    try:
        return {**saved.columns, **read_wishes(wishes)}
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None

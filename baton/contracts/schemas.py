"""Where the schemas live, and which id each has.

The files ``schemas/**/*.avsc`` are generated from the dataclasses by ``make schemas`` and checked
in; bytes are written and read by the files. ``schemas/ids.json`` gives every file its id: an id is
never reused or changed, and a file that was released is never edited (a new version is a new file
with a new id). The newest version of a record is the one that is written; all of them can be read.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

AvroSchema = Mapping[str, Any]


class SchemaMissing(LookupError):
    """A record type has no schema file; the text says how to make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFile:
    """One schema as it is checked in: ``record`` is the Avro name, ``version`` counts from 1."""

    id: int
    record: str
    version: int
    path: str
    schema: AvroSchema


def schema_root() -> Path:
    """The folder of schemas: inside the installed package, or beside it in a checkout."""
    packaged = Path(__file__).resolve().parents[1] / "_schemas"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "schemas"


class SchemaShelf:
    """All schema files of a folder, by id and by record."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._by_id: dict[int, SchemaFile] = {}
        self._by_record: dict[str, list[SchemaFile]] = {}
        ids = json.loads((root / "ids.json").read_text()) if (root / "ids.json").exists() else {}
        for relative, schema_id in ids.items():
            name, version = Path(relative).name.removesuffix(".avsc").rsplit(".v", 1)
            schema = json.loads((root / relative).read_text())
            self.add(
                SchemaFile(
                    id=schema_id, record=name, version=int(version), path=relative, schema=schema
                )
            )

    def add(self, file: SchemaFile) -> None:
        """Put one more schema on the shelf; refuses an id or a (record, version) that is taken."""
        versions = self._by_record.setdefault(file.record, [])
        if file.id in self._by_id or any(other.version == file.version for other in versions):
            raise ValueError(
                f"{file.path}: schema id {file.id} or version {file.version} of {file.record} is "
                "taken"
            )
        self._by_id[file.id] = file
        versions.append(file)
        versions.sort(key=lambda version: version.version)

    def by_id(self, schema_id: int) -> SchemaFile | None:
        """The schema with this id, if there is one."""
        return self._by_id.get(schema_id)

    def versions(self, record: str) -> tuple[SchemaFile, ...]:
        """Every version of a record, oldest first."""
        return tuple(self._by_record.get(record, ()))

    def newest(self, record: str) -> SchemaFile:
        """The version of ``record`` that is written."""
        versions = self.versions(record)
        if not versions:
            raise SchemaMissing(
                f"{record} has no schema in {self.root.name}/ids.json; write one with: make schemas"
            )
        return versions[-1]

    def __iter__(self) -> Iterator[SchemaFile]:
        return iter(self._by_id.values())


@cache
def shelf() -> SchemaShelf:
    """The shelf of this installation."""
    return SchemaShelf(schema_root())

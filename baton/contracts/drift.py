"""The proof that models and schemas agree, and that old data can still be read.

The schema files are generated from the dataclasses, and may be out of date. ``differences``
compares the two and ``unreadable`` asks Avro's own rules whether the newest schema can read what
every older one wrote. Both run in the tests and when a worker starts.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import make_avsc_object

from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.schemas import SchemaMissing, SchemaShelf
from baton.contracts.topics import TOPICS


def differences(shelf: SchemaShelf, records: Iterable[type]) -> Iterator[str]:
    """One line for each record type whose dataclass and newest schema file are not the same."""
    for record in records:
        try:
            file = shelf.newest(record.__name__)
        except SchemaMissing as error:
            yield str(error)
            continue
        for place, there, here in _unequal(file.schema, avro_schema_of(record), record.__name__):
            yield f"{file.path}: {place} is {there!r} in the file and {here!r} in the dataclass"


def unreadable(shelf: SchemaShelf) -> Iterator[str]:
    """One line for each older version that the newest one of the same record cannot read."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # the package is half typed
    for record in sorted({file.record for file in shelf}):
        *older, newest = shelf.versions(record)
        reader = make_avsc_object(dict(newest.schema))
        for file in older:
            result = checker.get_compatibility(reader, make_avsc_object(dict(file.schema)))
            if result.compatibility is not SchemaCompatibilityType.compatible:
                yield (
                    f"{newest.path} cannot read what {file.path} wrote: "
                    f"{'; '.join(sorted(result.messages))}"
                )


def orphans(shelf: SchemaShelf, records: Iterable[type]) -> Iterator[str]:
    """One line for each schema file that no id names or no record uses, and for each id without a
    file."""
    used = {record.__name__ for record in records}
    listed = {file.path for file in shelf}
    for path in sorted(shelf.root.rglob("*.avsc")):
        relative = path.relative_to(shelf.root).as_posix()
        if relative not in listed:
            yield f"{relative} has no id in ids.json"
        elif Path(relative).name.rsplit(".v", 1)[0] not in used:
            yield f"{relative} is used by no record"


def event_records() -> tuple[type, ...]:
    """The records of the catalogue, each once."""
    return tuple(dict.fromkeys(spec.record for spec in TOPICS.values() if spec.record is not None))


def _unequal(there: Any, here: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in sorted({*there, *here}):
            yield from _unequal(there.get(name), here.get(name), f"{place}.{name}")
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (left, right) in enumerate(zip(there, here, strict=True)):
            label = left.get("name", number) if isinstance(left, Mapping) else number
            yield from _unequal(left, right, f"{place}[{label}]")
    elif there != here:
        yield place, there, here

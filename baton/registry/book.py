"""Subjects, versions and ids of Baton's schemas, and Avro's own answer to whether a schema is
compatible.

Pure. A subject is ``<topic on the cluster>-value``; its versions are those of the topic's record,
with the ids that are on the wire.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.schema import make_avsc_object, parse

from baton.contracts.schemas import SchemaFile, SchemaShelf
from baton.contracts.topics import TOPICS, Audience, physical

LEVEL: Final = "BACKWARD"
LATEST: Final = "latest"


class RegistryError(Exception):
    """What the API answers: an HTTP status, Confluent's error code and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class SchemaBook:
    """The schemas by subject."""

    subjects: Mapping[str, Sequence[SchemaFile]]
    by_id: Mapping[int, SchemaFile]

    def versions(self, subject: str) -> Sequence[SchemaFile]:
        """Every version of a subject, oldest first; raises :class:`RegistryError`."""
        found = self.subjects.get(subject)
        if found is None:
            raise RegistryError(404, 40401, f"Subject '{subject}' not found.")
        return found

    def version(self, subject: str, text: str) -> SchemaFile:
        """A version by its number, ``latest`` or ``-1``; raises :class:`RegistryError`."""
        versions = self.versions(subject)
        if text in (LATEST, "-1"):
            return versions[-1]
        if not (text.isascii() and text.isdigit()) or not 0 < int(text[:10]) < 2**31:
            raise RegistryError(
                422,
                42202,
                "The specified version is not a valid version id: a whole number from 1 on, or "
                '"latest".',
            )
        for file in versions:
            if file.version == int(text):
                return file
        raise RegistryError(404, 40402, f"Version {text} not found.")

    def schema(self, schema_id: int) -> SchemaFile:
        """A schema by its id on the wire; raises :class:`RegistryError`."""
        found = self.by_id.get(schema_id)
        if found is None:
            raise RegistryError(404, 40403, f"Schema {schema_id} not found.")
        return found

    def subjects_of(self, file: SchemaFile) -> Iterator[str]:
        """The subjects that have this very schema."""
        for subject, versions in self.subjects.items():
            if any(other.id == file.id for other in versions):
                yield subject

    def lookup(self, subject: str, text: str) -> SchemaFile:
        """The version of a subject that says the same as ``text``; raises
        :class:`RegistryError`."""
        wanted = _canonical(text)
        for file in reversed(self.versions(subject)):
            if _canonical(json.dumps(file.schema)) == wanted:
                return file
        raise RegistryError(404, 40403, "Schema not found.")

    def incompatibilities(self, subject: str, version: str | None, text: str) -> list[str]:
        """Why a reader with schema ``text`` could not read what a version of ``subject`` wrote
        (None: the latest); empty where it can. Raises :class:`RegistryError`."""
        file = self.version(subject, version or LATEST)
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # the package is half typed
        found = checker.get_compatibility(_parsed(text), make_avsc_object(dict(file.schema)))
        if found.compatibility is SchemaCompatibilityType.compatible:
            return []
        return sorted(found.messages)


def book_of(shelf: SchemaShelf, namespace: str) -> SchemaBook:
    """The public topics' schemas, by the topics' names in ``namespace``."""
    subjects = {
        f"{physical(namespace, spec.name)}-value": shelf.versions(spec.record.__name__)
        for spec in TOPICS.values()
        if spec.record is not None and spec.audience is Audience.PUBLIC
    }
    by_id = {file.id: file for versions in subjects.values() for file in versions}
    return SchemaBook(dict(sorted(subjects.items())), by_id)


def text_of(file: SchemaFile) -> str:
    """The schema as the API carries it: JSON in a string."""
    return json.dumps(file.schema, separators=(",", ":"))


def schema_in(body: Mapping[str, Any]) -> str:
    """The schema of a request; raises :class:`RegistryError`."""
    kind = body.get("schemaType", "AVRO")
    text = body.get("schema")
    if kind != "AVRO" or not isinstance(text, str):
        raise RegistryError(422, 42201, "Invalid schema: an Avro schema as a string is expected")
    return text


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except (AvroException, ValueError, TypeError, RecursionError) as error:
        raise RegistryError(422, 42201, f"Invalid schema: {type(error).__name__}") from None


def _canonical(text: str) -> str:
    return str(_parsed(text).canonical_form)

"""A Confluent-compatible schema registry, where one is used: its ids go on the wire instead of the
checked-in ones.

Every newest schema is registered under the subject ``<topic>-value`` (state and engine records
under ``<record>-state``), older versions before it; registering what is there already gives its id
again. A process says once, before it writes or reads its first record, that it speaks the
registry's ids. API: Confluent Schema Registry REST, content type
``application/vnd.schemaregistry.v1+json``.
"""

import base64
import json
from collections.abc import Iterator
from functools import cache
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from baton.contracts.codec import use_registry_ids
from baton.contracts.schemas import SchemaFile, SchemaShelf, shelf
from baton.contracts.topics import TOPICS

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
_TIMEOUT_S = 10.0


class RegistryRefused(RuntimeError):
    """The registry could not be reached or refused a schema; the text says which and why."""


@cache
def speak_registry(url: str) -> None:
    """From now on this process writes and reads the ids of the registry at ``url``; raises
    :class:`RegistryRefused`."""
    use_registry_ids(register_all(url, shelf()))


def register_all(url: str, schemas: SchemaShelf) -> dict[int, int]:
    """Register every schema and return checked-in id -> registry id; raises
    :class:`RegistryRefused`."""
    ids: dict[int, int] = {}
    for subject, file in _subjects(schemas):
        ids[file.id] = _register(url, subject, file)
    return ids


def _subjects(schemas: SchemaShelf) -> Iterator[tuple[str, SchemaFile]]:
    topics_of: dict[str, list[str]] = {}
    for spec in TOPICS.values():
        if spec.record is not None:
            topics_of.setdefault(spec.record.__name__, []).append(spec.name)
    for file in sorted(schemas, key=lambda schema: (schema.record, schema.version)):
        for subject in (
            (f"{topic}-value" for topic in topics_of.get(file.record, []))
            if file.record in topics_of
            else (f"{file.record}-state",)
        ):
            yield subject, file


def _register(url: str, subject: str, file: SchemaFile) -> int:
    address, headers = _address(f"{url.rstrip('/')}/subjects/{quote(subject, safe='')}/versions")
    body = json.dumps({"schema": json.dumps(file.schema), "schemaType": "AVRO"}).encode()
    try:
        with urlopen(Request(address, data=body, headers=headers), timeout=_TIMEOUT_S) as answer:
            return int(json.load(answer)["id"])
    except HTTPError as error:
        raise RegistryRefused(
            f"the schema registry refused {file.path} as {subject}: HTTP {error.code}"
        ) from error
    except (URLError, TimeoutError, ValueError, KeyError) as error:
        raise RegistryRefused(
            f"the schema registry gave no id for {subject}: {type(error).__name__}"
        ) from error


def _address(url: str) -> tuple[str, dict[str, str]]:
    """The address without its user part, and the headers, with Basic authorization where the URL
    carried one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise RegistryRefused("BATON_REGISTRY_URL must begin with http:// or https://")
    headers = {"Content-Type": _CONTENT_TYPE}
    if parts.username is not None:
        headers["Authorization"] = (
            "Basic "
            + base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
        )
    host = parts.hostname or ""
    return urlunsplit(
        parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host)
    ), headers

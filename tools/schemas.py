"""Write every schema file that is missing or changed, its id, and ``schemas/README.md``; or only
check (``--check``).

Run it after a record was added or got a field. A schema that was already released is not to be
changed in place: give ``--new-version RECORD`` to write the next version beside it.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

from baton import __version__
from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.schemas import SchemaShelf, schema_root
from baton.contracts.topics import DEFAULT_NAMESPACE, TOPICS
from baton.registry.asyncapi import asyncapi

ASYNCAPI = "asyncapi.json"
README = "README.md"
README_TEXT = """# Generated files: edit the code, not these

`make schemas` writes the Avro schemas, `asyncapi.json` and this page. To change a record, change
its dataclass:

| folder | the dataclasses are in |
|---|---|
| `events/` | [baton/contracts](../baton/contracts) |
| `state/` | [services](../services), named by the `head_type` and `entry_kinds` of a reducer |
| `engine/` | [baton/engine/records.py](../baton/engine/records.py) |

`ids.json` is only added to: an id is never changed or reused. A schema that was released stays as
it is; the next version is a file of its own:
`.venv/bin/python tools/schemas.py --new-version RECORD`.

| file | written by |
|---|---|
| `agreement.schema.json` | `baton agreement schema --out schemas/agreement.schema.json` |
| `event-line.schema.json` | `python -m baton.intake.schema > schemas/event-line.schema.json` |
| [examples/events.jsonl](examples/events.jsonl) | hand: it has every kind of event line |
"""
SERVICES = ("ingest", "scorer", "router", "sla_watcher")


def records() -> Iterator[tuple[str, type]]:
    """Every record with the folder its schema belongs to."""
    for spec in TOPICS.values():
        if spec.record is not None:
            yield "events", spec.record
    yield from _engine_records()
    for service in SERVICES:
        try:
            app = importlib.import_module(f"services.{service}.app")
        except ModuleNotFoundError as error:
            print(f"services.{service}.app: {error}", file=sys.stderr)
            continue
        for reducer in app.SERVICE.reducers:
            if reducer.head_type is not None:
                yield "state", reducer.head_type
            for kind in reducer.entry_kinds:
                yield "state", kind.type


def _engine_records() -> Iterator[tuple[str, type]]:
    try:
        module = importlib.import_module("baton.engine.records")
    except ModuleNotFoundError:
        return
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and is_dataclass(value)
            and value.__module__ == module.__name__
            and getattr(value, "WIRE", True)
        ):
            yield "engine", value


def asyncapi_text() -> str:
    """The AsyncAPI document of the public topics, with references to the schema files."""
    shelf = SchemaShelf(schema_root())
    document = asyncapi(shelf, namespace=DEFAULT_NAMESPACE, version=__version__, inline=False)
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--new-version", action="append", default=[], metavar="RECORD")
    arguments = parser.parse_args()
    root = schema_root()
    ids_file = root / "ids.json"
    ids: dict[str, int] = json.loads(ids_file.read_text()) if ids_file.exists() else {}
    changed = []
    for folder, record in dict.fromkeys(records()):
        path = _path(
            root, folder, record.__name__, ids, bump=record.__name__ in arguments.new_version
        )
        text = json.dumps(avro_schema_of(record), indent=2) + "\n"
        if path.as_posix() in ids and (root / path).exists() and (root / path).read_text() == text:
            continue
        changed.append(path.as_posix())
        if not arguments.check:
            ids.setdefault(path.as_posix(), max(ids.values(), default=0) + 1)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            ids_file.write_text(json.dumps(ids, indent=2) + "\n")
    for name, text in ((ASYNCAPI, asyncapi_text()), (README, README_TEXT)):
        if not (root / name).exists() or (root / name).read_text() != text:
            changed.append(name)
            if not arguments.check:
                (root / name).write_text(text)
    for name in changed:
        print(("differs: " if arguments.check else "wrote: ") + name)
    return 1 if arguments.check and changed else 0


def _path(root: Path, folder: str, record: str, ids: dict[str, int], *, bump: bool) -> Path:
    versions = [
        int(Path(schema_id).name.removesuffix(".avsc").rsplit(".v", 1)[1])
        for schema_id in ids
        if Path(schema_id).name.rsplit(".v", 1)[0] == record
    ]
    version = max(versions, default=0 if bump else 1) + (1 if bump else 0)
    return Path(folder) / f"{record}.v{version}.avsc"


if __name__ == "__main__":
    sys.exit(main())

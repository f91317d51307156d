"""The contracts: models mirror schemas, bytes come back as they went, old data can be read, and
each check can fail."""

import copy
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.contracts import drift
from baton.contracts.acls import BOARD
from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.codec import (
    Codec,
    ContractError,
    Drift,
    codec_for,
    decode_any,
    framed_schema_id,
)
from baton.contracts.intake import Engagement, LeadEvent
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.schema_registry import RegistryRefused, register_all
from baton.contracts.schemas import SchemaFile, SchemaMissing, SchemaShelf, schema_root, shelf
from baton.contracts.topics import (
    REDUCERS,
    TOPICS,
    Cleanup,
    dead_letter_topic,
    engine_topics,
    logical,
    physical,
)

RECORDS = drift.event_records()


@cache
def strategy_of(record: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(record)
    longs = st.integers(-(2**63), 2**63 - 1)
    return st.builds(
        record, **{field.name: _of(hints[field.name], longs) for field in fields(record)}
    )


def _of(hint: Any, longs: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    origin, arguments = getattr(hint, "__origin__", None), getattr(hint, "__args__", ())
    if hint is str:
        return st.text(max_size=5)
    if hint is bool:
        return st.booleans()
    if hint is int:
        return longs
    if hint is bytes:
        return st.binary(max_size=5)
    if origin is tuple:
        return st.lists(_of(arguments[0], longs), max_size=2).map(tuple)
    if origin is not None:
        return st.dictionaries(st.text(max_size=3), _of(arguments[1], longs), max_size=2)
    if type(None) in arguments:
        (some,) = (argument for argument in arguments if argument is not type(None))
        return st.none() | _of(some, longs)
    return strategy_of(hint)


@pytest.mark.parametrize("record", RECORDS, ids=lambda model: model.__name__)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_encoded_comes_back_equal(record: type, data: st.DataObject) -> None:
    value = data.draw(strategy_of(record))
    encoded = codec_for(record).encode(value)
    assert codec_for(record).decode(encoded) == value
    assert decode_any(encoded)[0] == record.__name__
    assert _by_fastavro(record, encoded) == encoded


def _by_fastavro(record: type, encoded: bytes) -> bytes:
    """The same record written by another implementation."""
    buffer = BytesIO()
    buffer.write(encoded[:5])
    schemaless_writer(buffer, _parsed(record), decode_any(encoded)[1])
    return buffer.getvalue()


@cache
def _parsed(record: type) -> Any:
    return parse_schema(avro_schema_of(record))


def test_models_mirror_the_schemas() -> None:
    assert list(drift.differences(shelf(), RECORDS)) == []


def test_no_schema_file_is_unused_or_without_an_id() -> None:
    known = [type(file.record, (), {}) for file in shelf() if not file.path.startswith("events/")]
    assert list(drift.orphans(shelf(), [*RECORDS, *known])) == []


def test_the_newest_schema_reads_every_older_one() -> None:
    assert list(drift.unreadable(shelf())) == []


def _shelf_with(tmp_path: Path, **versions: dict[str, Any]) -> SchemaShelf:
    ids = {}
    for number, (name, schema) in enumerate(versions.items(), start=1):
        record, version = name.split("_v")
        (tmp_path / f"{record}.v{version}.avsc").write_text(json.dumps(schema))
        ids[f"{record}.v{version}.avsc"] = number
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    return SchemaShelf(tmp_path)


def test_a_planted_drift_is_named(tmp_path: Path) -> None:
    schema = copy.deepcopy(avro_schema_of(LeadEvent))
    schema["fields"][3]["type"] = "long"
    found = list(drift.differences(_shelf_with(tmp_path, LeadEvent_v1=schema), [LeadEvent]))
    assert found == [
        (
            "LeadEvent.v1.avsc: LeadEvent.fields[kind].type is 'long' in the file and 'string' in the "
            "dataclass"
        )
    ]


def test_a_record_without_a_schema_is_named(tmp_path: Path) -> None:
    found = list(drift.differences(_shelf_with(tmp_path), [LeadEvent]))
    assert found == [
        f"LeadEvent has no schema in {tmp_path.name}/ids.json; write one with: make schemas"
    ]


def test_a_planted_break_of_compatibility_is_named(tmp_path: Path) -> None:
    old = {
        "type": "record",
        "name": "R",
        "namespace": "baton",
        "fields": [{"name": "a", "type": "string"}],
    }
    new = {
        "type": "record",
        "name": "R",
        "namespace": "baton",
        "fields": [{"name": "b", "type": "string"}],
    }
    (found,) = drift.unreadable(_shelf_with(tmp_path, R_v1=old, R_v2=new))
    assert found.startswith("R.v2.avsc cannot read what R.v1.avsc wrote: ")


def test_a_planted_orphan_is_named(tmp_path: Path) -> None:
    planted = _shelf_with(tmp_path, LeadEvent_v1=avro_schema_of(LeadEvent))
    (tmp_path / "Lost.v1.avsc").write_text("{}")
    assert list(drift.orphans(planted, [])) == [
        "LeadEvent.v1.avsc is used by no record",
        "Lost.v1.avsc has no id in ids.json",
    ]


def test_data_of_an_older_schema_reads_with_the_defaults_of_the_newer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Reading:
        name: str
        room: str = "hall"

    old = {
        "type": "record",
        "name": "Reading",
        "namespace": "baton",
        "fields": [{"name": "name", "type": "string"}],
    }
    both = _shelf_with(tmp_path, Reading_v1=old, Reading_v2=avro_schema_of(Reading))
    monkeypatch.setattr("baton.contracts.codec.shelf", lambda: both)
    buffer = BytesIO(b"\0\0\0\0\1")
    buffer.seek(5)
    schemaless_writer(buffer, parse_schema(old), {"name": "x"})
    assert Codec(Reading, both.newest("Reading")).decode(buffer.getvalue()) == Reading(
        name="x", room="hall"
    )


def _event() -> bytes:
    return codec_for(LeadEvent).encode(
        LeadEvent(
            event_id="e",
            lead_id="l",
            source="web",
            kind="engagement",
            occurred_at_ms=1,
            received_at_ms=2,
            engagement=Engagement(act="page_view", topics=("a",), properties={"k": "v"}),
        )
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unframed"),
        (b"\0\0\0", "unframed"),
        (b'{"json": 1}', "unframed"),
        (b"\0" + (99_999).to_bytes(4, "big") + b"x", "unknown_schema"),
        (_event()[:-4], "undecodable"),
        (_event()[:5], "undecodable"),
        (_event()[:5] + b"\xff" * 40, "undecodable"),
        (_event() + b"x", "undecodable"),
        (_event()[:5] + b"\xfe\xff\xff\xff\x0f", "undecodable"),
        (b"\0" + bytes(1 << 20), "too_long"),
    ],
)
def test_bytes_that_are_no_record_are_refused_without_repeating_them(
    data: bytes, code: str
) -> None:
    with pytest.raises(ContractError) as refused:
        codec_for(LeadEvent).decode(data)
    assert refused.value.code == code
    assert "json" not in refused.value.reason


def test_a_record_of_another_type_is_refused() -> None:
    other = next(record for record in RECORDS if record is not LeadEvent)
    with pytest.raises(ContractError, match=r"is LeadEvent, not "):
        codec_for(other).decode(_event())


def test_the_frame_is_that_of_the_registry() -> None:
    assert _event()[0] == 0
    assert (
        framed_schema_id(_event())
        == json.loads((schema_root() / "ids.json").read_text())["events/LeadEvent.v1.avsc"]
    )


def test_a_recursive_record_is_refused() -> None:
    hints = {"Nested": None}

    @dataclass(frozen=True)
    class Nested:
        inner: "tuple[Nested, ...]"

    hints["Nested"] = Nested  # type: ignore[assignment]
    Nested.__annotations__["inner"] = tuple[Nested, ...]
    with pytest.raises(TypeError, match="contains itself"):
        avro_schema_of(Nested)


def test_an_id_or_version_that_is_taken_is_refused(tmp_path: Path) -> None:
    planted = _shelf_with(tmp_path, LeadEvent_v1=avro_schema_of(LeadEvent))
    with pytest.raises(ValueError, match="is taken"):
        planted.add(SchemaFile(id=1, record="Other", version=1, path="Other.v1.avsc", schema={}))
    with pytest.raises(ValueError, match="is taken"):
        planted.add(SchemaFile(id=2, record="LeadEvent", version=1, path="again", schema={}))
    with pytest.raises(SchemaMissing):
        planted.newest("Nothing")


def test_every_topic_has_one_writing_service_and_known_readers() -> None:
    services = {*REDUCERS.values(), BOARD, "outside", "agreement", "operator"}
    assert {spec.writer for spec in TOPICS.values()} <= services
    assert {reader for spec in TOPICS.values() for reader in spec.readers} <= set(REDUCERS)


def test_what_the_outside_writes_has_a_dead_letter_topic() -> None:
    outside = [spec.name for spec in TOPICS.values() if spec.outside]
    assert outside == ["leads.inbox.v1"]
    assert all(dead_letter_topic(name) in TOPICS for name in outside)


def test_every_topic_takes_the_brokers_time() -> None:
    assert {spec.config()["message.timestamp.type"] for spec in TOPICS.values()} == {
        "LogAppendTime"
    }


def test_personal_data_stays_on_compacted_or_short_topics() -> None:
    from baton.contracts.intake import Person

    def carries_person(schema: Any) -> bool:
        return f'"name": "{Person.__name__}"' in json.dumps(schema)

    carriers = [
        spec
        for spec in TOPICS.values()
        if spec.record and carries_person(avro_schema_of(spec.record))
    ]
    kept_long = [
        spec.name
        for spec in carriers
        if spec.cleanup is Cleanup.DELETE and (spec.retention_ms or 10**15) > 30 * 86_400_000
    ]
    assert {spec.name for spec in carriers} >= {
        "leads.persons.v1",
        "leads.qualified.v1",
        "leads.routed.sdr.v1",
    }
    assert kept_long == []


def test_namespaces_do_not_meet() -> None:
    assert physical("baton", "leads.acts.v1") == "leads.acts.v1"
    assert logical("t1", physical("t1", "leads.acts.v1")) == "leads.acts.v1"
    with pytest.raises(ValueError, match="not of namespace"):
        logical("t1", "leads.acts.v1")


def test_every_reducer_has_its_three_engine_topics() -> None:
    for reducer, service in REDUCERS.items():
        assert all(TOPICS[spec.name] == spec for spec in engine_topics(reducer, service))


class _Registry(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, Any]]]
    refuse = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, body))
        self.send_response(409 if self.refuse else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"id": 500 + len(self.seen)}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def registry() -> Iterator[tuple[str, type[_Registry]]]:
    handler = type("Handler", (_Registry,), {"seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_registry_gives_the_ids(registry: tuple[str, type[_Registry]], tmp_path: Path) -> None:
    url, handler = registry
    planted = _shelf_with(tmp_path, LeadEvent_v1=avro_schema_of(LeadEvent))
    assert register_all(url, planted) == {1: 501}
    ((path, body),) = handler.seen
    assert path == "/subjects/leads.accepted.v1-value/versions"
    assert json.loads(body["schema"])["name"] == "LeadEvent"


def test_a_registry_that_refuses_is_named(
    registry: tuple[str, type[_Registry]], tmp_path: Path
) -> None:
    url, handler = registry
    handler.refuse = True
    planted = _shelf_with(tmp_path, LeadEvent_v1=avro_schema_of(LeadEvent))
    with pytest.raises(
        RegistryRefused, match=r"refused LeadEvent.v1.avsc as leads.accepted.v1-value: HTTP 409"
    ):
        register_all(url, planted)


def test_a_process_that_knows_a_registry_writes_and_reads_its_ids(
    registry: tuple[str, type[_Registry]],
) -> None:
    url, _ = registry
    program = """if True:
        from baton.cli.cluster import cluster_settings
        cluster_settings()
        from baton.contracts.codec import codec_for, decode_any, framed_schema_id
        from baton.contracts.reference_records import PeopleRecord
        record = PeopleRecord(record_id="r", person="p", from_ms=1, until_ms=2)
        written = codec_for(PeopleRecord).encode(record)
        assert framed_schema_id(written) > 500
        assert codec_for(PeopleRecord).decode(written) == record
        print(decode_any(written)[0])"""
    environment = {**os.environ, "BATON_REGISTRY_URL": url, "BATON_BOOTSTRAP": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("PeopleRecord\n", "")


def test_a_long_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        codec_for(PeopleRecord).encode(
            PeopleRecord(record_id="r", person="p", from_ms=1 << 63, until_ms=0)
        )


def test_a_type_that_does_not_mirror_its_schema_gets_no_codec() -> None:
    file = shelf().newest("LeadEvent")
    with pytest.raises(Drift, match=r"PeopleRecord and events/LeadEvent.v1.avsc differ"):
        Codec(PeopleRecord, file)


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes) -> None:
    outcome = _outcome(_event()[:5] + data)
    assert isinstance(outcome, LeadEvent) or outcome == "undecodable"


def _outcome(data: bytes) -> LeadEvent | str:
    try:
        return codec_for(LeadEvent).decode(data)
    except ContractError as refused:
        return refused.code

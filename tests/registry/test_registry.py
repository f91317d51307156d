"""The registry's API: pages, codes and content type as Confluent documents them, compatibility by
Avro's checker, and Confluent's own client on top."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.schemas import SchemaShelf, shelf
from baton.contracts.topic_names import LEADS_ROUTED_SALES
from baton.registry.app import CONTENT_TYPE, RegistryApi
from baton.registry.book import book_of

SUBJECT = f"{LEADS_ROUTED_SALES}-value"


@pytest.fixture(scope="module")
def api() -> TestClient:
    return TestClient(RegistryApi(book_of(shelf(), "baton")).app())


def newest() -> Any:
    return shelf().newest("LeadRouted")


def test_every_public_topic_is_a_subject_and_no_private_one(api: TestClient) -> None:
    found = api.get("/subjects")
    assert found.headers["content-type"] == CONTENT_TYPE
    subjects = found.json()
    assert SUBJECT in subjects
    assert "goals.progress.v1-value" in subjects
    assert [name for name in subjects if name.startswith(("router.", "scorer.", "intake."))] == []
    assert api.get("/subjects", params={"subjectPrefix": "goals."}).json() == [
        "goals.progress.v1-value"
    ]


def test_a_namespace_is_part_of_the_subjects() -> None:
    assert f"acme.{SUBJECT}" in book_of(shelf(), "acme").subjects


def test_versions_and_ids_are_those_on_the_wire(api: TestClient) -> None:
    file = newest()
    assert api.get(f"/subjects/{SUBJECT}/versions").json() == [
        version.version for version in shelf().versions("LeadRouted")
    ]
    latest = api.get(f"/subjects/{SUBJECT}/versions/latest").json()
    assert {key: latest[key] for key in ("subject", "version", "id")} == {
        "subject": SUBJECT,
        "version": file.version,
        "id": file.id,
    }
    assert json.loads(latest["schema"]) == file.schema
    assert api.get(f"/subjects/{SUBJECT}/versions/{file.version}").json() == latest
    by_id = api.get(f"/schemas/ids/{file.id}").json()
    assert json.loads(by_id["schema"]) == file.schema
    assert api.get(f"/schemas/ids/{file.id}/schema").json() == file.schema
    assert SUBJECT in api.get(f"/schemas/ids/{file.id}/subjects").json()
    assert {"subject": SUBJECT, "version": file.version} in api.get(
        f"/schemas/ids/{file.id}/versions"
    ).json()


def test_pages_that_browsers_of_topics_ask_for_have_an_answer(api: TestClient) -> None:
    file = newest()
    page = f"/subjects/{SUBJECT}/versions/latest/referencedby"
    assert (api.get(page).json(), api.get("/contexts").json()) == ([], ["."])
    assert api.get(f"/mode/{SUBJECT}").json() == {"mode": "READONLY"}
    assert api.get(f"/config/{SUBJECT}").json() == {"compatibilityLevel": "BACKWARD"}
    asked = {"subjectPrefix": SUBJECT, "latestOnly": "true"}
    assert [
        (found["subject"], found["id"]) for found in api.get("/schemas", params=asked).json()
    ] == [(SUBJECT, file.id)]
    whole = api.get("/schemas").json()
    assert [found["version"] for found in whole if found["subject"] == SUBJECT] == [
        version.version for version in shelf().versions("LeadRouted")
    ]


ERRORS = [
    ("GET", "/subjects/nope-value/versions", None, 404, 40401),
    ("GET", "/subjects/nope-value/versions/1", None, 404, 40401),
    ("GET", f"/subjects/{SUBJECT}/versions/999", None, 404, 40402),
    ("GET", f"/subjects/{SUBJECT}/versions/0", None, 422, 42202),
    ("GET", f"/subjects/{SUBJECT}/versions/new", None, 422, 42202),
    ("GET", f"/subjects/{SUBJECT}/versions/99999999999", None, 422, 42202),
    ("GET", "/schemas/ids/999999", None, 404, 40403),
    ("GET", "/config/nope-value", None, 404, 40401),
    ("GET", "/mode/nope-value", None, 404, 40401),
    ("GET", "/subjects/nope-value/versions/1/referencedby", None, 404, 40401),
    ("PUT", f"/mode/{SUBJECT}", {"mode": "READWRITE"}, 422, 42205),
    ("POST", f"/subjects/{SUBJECT}", {"schema": '"string"'}, 404, 40403),
    ("POST", f"/subjects/{SUBJECT}", {"schema": "{"}, 422, 42201),
    ("POST", f"/subjects/{SUBJECT}", {"schema": '"string"', "schemaType": "JSON"}, 422, 42201),
    ("POST", f"/subjects/{SUBJECT}", [], 422, 42201),
    ("POST", f"/subjects/{SUBJECT}/versions", {"schema": '"string"'}, 422, 42205),
    ("PUT", "/config", {"compatibility": "NONE"}, 422, 42205),
    ("DELETE", f"/subjects/{SUBJECT}", None, 422, 42205),
    (
        "POST",
        "/compatibility/subjects/nope-value/versions/latest",
        {"schema": '"string"'},
        404,
        40401,
    ),
    ("GET", "/nowhere", None, 404, 404),
]


@pytest.mark.parametrize(("verb", "path", "body", "status", "code"), ERRORS)
def test_errors_have_the_documented_codes(
    api: TestClient, verb: str, path: str, body: Any, status: int, code: int
) -> None:
    found = api.request(verb, path, json=body)
    assert (found.status_code, found.json()["error_code"]) == (status, code)
    assert found.headers["content-type"] == CONTENT_TYPE
    assert found.json()["message"]


def test_registering_what_is_there_gives_its_id_and_nothing_else_is_registered(
    api: TestClient,
) -> None:
    body = {"schema": json.dumps(newest().schema)}
    assert api.post(f"/subjects/{SUBJECT}/versions", json=body).json() == {"id": newest().id}
    assert api.post(f"/subjects/{SUBJECT}", json=body).json()["version"] == newest().version


def test_a_request_is_bounded(api: TestClient) -> None:
    body = {"schema": "x" * (2 << 20)}
    assert api.post(f"/subjects/{SUBJECT}", json=body).status_code == 413


def test_compatibility_is_avros_answer(api: TestClient) -> None:
    schema = dict(newest().schema)
    fields = schema["fields"]
    path = f"/compatibility/subjects/{SUBJECT}/versions/latest"

    def asked(changed: list[Any]) -> dict[str, Any]:
        body = {"schema": json.dumps(schema | {"fields": changed})}
        return api.post(path, params={"verbose": "true"}, json=body).json()

    added = {"name": "colour", "type": "string"}
    assert asked(fields)["is_compatible"] is True
    assert asked(fields[1:])["is_compatible"] is True, "a reader may leave a field out"
    assert asked([*fields, added | {"default": ""}])["is_compatible"] is True
    broken = asked([*fields, added])
    assert broken["is_compatible"] is False
    assert any("colour" in message for message in broken["messages"])


def test_an_older_version_keeps_its_id(tmp_path: Any) -> None:
    first = {"type": "record", "name": "LeadRouted", "fields": []}
    (tmp_path / "LeadRouted.v1.avsc").write_text(json.dumps(first))
    second = first | {"fields": [{"name": "a", "type": "int", "default": 0}]}
    (tmp_path / "LeadRouted.v2.avsc").write_text(json.dumps(second))
    ids = {"LeadRouted.v1.avsc": 7, "LeadRouted.v2.avsc": 9}
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    book = book_of(SchemaShelf(tmp_path), "baton")
    assert [(file.version, file.id) for file in book.versions(SUBJECT)] == [(1, 7), (2, 9)]
    assert book.lookup(SUBJECT, json.dumps(first)).id == 7


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The registry on a real port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(RegistryApi(book_of(shelf(), "baton")).app(), log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_confluents_client_and_deserializer_read_a_record_of_ours(
    address: str, routed: LeadRouted
) -> None:
    registry = pytest.importorskip("confluent_kafka.schema_registry")
    avro = pytest.importorskip("confluent_kafka.schema_registry.avro")
    from confluent_kafka.serialization import MessageField, SerializationContext

    client = registry.SchemaRegistryClient({"url": address})
    assert SUBJECT in client.get_subjects()
    assert client.get_latest_version(SUBJECT).schema_id == newest().id
    assert client.get_compatibility() == "BACKWARD"
    assert client.test_compatibility(SUBJECT, client.get_latest_version(SUBJECT).schema)
    value = codec_for(LeadRouted).encode(routed)
    context = SerializationContext(LEADS_ROUTED_SALES, MessageField.VALUE)
    read = avro.AvroDeserializer(client)(value, context)
    assert (read["lead_id"], read["owner"], read["pool"]) == (
        routed.lead_id,
        routed.owner,
        routed.pool,
    )
    assert [step["rule"] for step in read["path"]] == [step.rule for step in routed.path]
    assert set(read) == set(LeadRouted.__dataclass_fields__)


@pytest.fixture(scope="module")
def routed() -> LeadRouted:
    """A record that the router made."""
    from tests.screens.company import MINUTE_MS, START_MS, Company, demo

    company = Company().run([demo(1, START_MS)], START_MS + MINUTE_MS)
    found: LeadRouted = company.values(LEADS_ROUTED_SALES)[0]
    return found

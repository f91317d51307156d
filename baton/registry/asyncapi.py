"""The public topics as an AsyncAPI 3.1 document, made from the catalogue: for who generates code,
documentation or tests of subscribers.

Baton sends on its topics and receives on the inbox. Payloads are Avro in Confluent's framing; the
schemas stand in the document, or are referred to as the files beside it. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

from baton.contracts.schemas import SchemaShelf
from baton.contracts.topics import TOPICS, Audience, Cleanup, TopicSpec, physical

VERSION: Final = "3.1.0"
AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
_BINDING: Final = "0.5.0"
_KEYS: Final = {
    "lead": "the lead's id, 32 hexadecimal digits",
    "account": "the account's domain",
    "goal": "the goal's name",
}
_HEADERS: Final[Mapping[str, str]] = {
    "ce_id": "id of the fact; the same cause gives the same id",
    "ce_source": "who published it",
    "ce_type": "name and version of the record",
    "ce_time": "when it was decided",
    "ce_specversion": "of CloudEvents: 1.0",
    "baton_agreement": "version of the agreement it was decided under",
    "baton_cause": "id of what caused it",
    "received_at": "when the cause first reached the log, ms",
    "traceparent": "W3C trace context of the cause",
}


def asyncapi(
    shelf: SchemaShelf, *, namespace: str, version: str, inline: bool = True
) -> dict[str, Any]:
    """The document. ``inline``: with the Avro schemas in it; else they are referred to as files
    relative to ``schemas/``."""
    specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    channels = {_id(spec): _channel(spec, namespace) for spec in specs}
    messages = {_message_name(spec): _message(spec, shelf, inline) for spec in specs}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Baton",
            "version": version,
            "description": (
                "Leads between marketing and sales: scored, routed, against the clock. Read with "
                "isolation.level=read_committed. Fields are only ever added, with defaults."
            ),
        },
        "defaultContentType": "application/vnd.apache.avro",
        "servers": {
            "cluster": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "The brokers in BATON_BOOTSTRAP.",
                "bindings": {
                    "kafka": {
                        "schemaRegistryUrl": "http://localhost:8081",
                        "schemaRegistryVendor": "confluent",
                        "bindingVersion": _BINDING,
                    }
                },
            }
        },
        "channels": channels,
        "operations": {_operation_id(spec): _operation(spec) for spec in specs},
        "components": {"messages": messages},
    }


def _id(spec: TopicSpec) -> str:
    return spec.name.replace(".", "_").replace("-", "_")


def _operation_id(spec: TopicSpec) -> str:
    return f"{'receive' if spec.outside else 'send'}_{_id(spec)}"


def _message_name(spec: TopicSpec) -> str:
    if spec.record is not None:
        return spec.record.__name__
    return "EventLine" if spec.outside else "DeadLetter"


def _channel(spec: TopicSpec, namespace: str) -> dict[str, Any]:
    topic: dict[str, Any] = {"cleanup.policy": [spec.cleanup.value]}
    if spec.cleanup is Cleanup.DELETE and spec.retention_ms is not None:
        topic["retention.ms"] = spec.retention_ms
    name = physical(namespace, spec.name)
    return {
        "address": name,
        "title": spec.name,
        "description": f"{spec.says}; keyed by {spec.key}",
        "messages": {_message_name(spec): {"$ref": _component(spec)}},
        "bindings": {
            "kafka": {"topic": name, "topicConfiguration": topic, "bindingVersion": _BINDING}
        },
    }


def _operation(spec: TopicSpec) -> dict[str, Any]:
    channel = f"#/channels/{_id(spec)}"
    return {
        "action": "receive" if spec.outside else "send",
        "channel": {"$ref": channel},
        "summary": spec.says,
        "messages": [{"$ref": f"{channel}/messages/{_message_name(spec)}"}],
    }


def _component(spec: TopicSpec) -> str:
    return f"#/components/messages/{_message_name(spec)}"


def _message(spec: TopicSpec, shelf: SchemaShelf, inline: bool) -> dict[str, Any]:
    name = _message_name(spec)
    if spec.record is None:
        return _raw_message(name, spec)
    file = shelf.newest(spec.record.__name__)
    return {
        "name": name,
        "summary": f"schema id {file.id}, version {file.version}",
        "headers": {
            "type": "object",
            "properties": {
                header: {"type": "string", "description": text} for header, text in _HEADERS.items()
            },
        },
        "payload": {
            "schemaFormat": AVRO,
            "schema": dict(file.schema) if inline else {"$ref": f"./{file.path}"},
        },
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": _KEYS.get(spec.key, spec.key),
                },
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "bindingVersion": _BINDING,
            }
        },
    }


def _raw_message(name: str, spec: TopicSpec) -> dict[str, Any]:
    if spec.outside:
        return {
            "name": name,
            "summary": "one event, JSON; the schema is event-line.schema.json",
            "contentType": "application/json",
            "payload": {"type": "object"},
        }
    return {
        "name": name,
        "summary": "the record as it was sent, with the reason in its headers",
        "contentType": "application/octet-stream",
    }

"""A source of ``sources.yaml`` as an adapter: authentic by its rule, its records mapped by
JMESPath, answered as it says.

A record that cannot be taken becomes a dead letter, and the sender is answered with success: many
senders never send again what was answered 4xx, and it would be lost.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from baton.intake.line_reading import LineRefused
from baton.intake.lines import EventLine
from baton.sources.bodies import as_bytes, read_body, read_multipart
from baton.sources.mapping import SourceMapping, is_no_event
from baton.sources.people import people_beside
from baton.sources.signatures import (
    NotAuthentic,
    SignedRequest,
    check_basic,
    check_signatures,
    check_token,
)
from baton.sources.source_model import SourceModel, secrets_of
from baton.sources.source_reading import SourcesWrong, path_of, read_sources, source_files
from services.ingest.gateway.adapters.protocol import (
    Adapter,
    Answer,
    Delivery,
    Endpoint,
    RequestHead,
    accepted,
)
from services.ingest.gateway.json_body import BodyJson, read_body_json
from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.problem_details import Refused, refused_line
from services.ingest.gateway.write_keys import KeyRing, Scope, WriteKey

_MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "form": "application/x-www-form-urlencoded",
    "xml": "text/xml",
}
_CODE = re.compile(r"[0-9A-Za-z_-]{1,128}")


class SecretMissing(ValueError):
    """A source is described and its secret is not set; the text names the variable."""


class DeclaredSource:
    """The adapter of one described source. ``secrets``: by the name of their variable."""

    keeps_rejected = True

    def __init__(
        self,
        name: str,
        model: SourceModel,
        *,
        secrets: Mapping[str, str],
        public_url: str,
        people: Mapping[str, str] | None = None,
    ) -> None:
        self._model = model
        self._mapping = SourceMapping(model, people)
        self._secrets = secrets
        self._public_url = public_url
        self._key = WriteKey(name=name, scopes=frozenset(map(Scope, model.scopes)))
        path, summary = path_of(name, model.path), f"Source {name}"
        content: dict[str, dict[str, Any]] = {_MEDIA_TYPES[model.format]: {}}
        self.endpoints = (
            Endpoint(path=path, summary=summary, content=content),
            *([Endpoint(path=path, summary=summary, content={}, method="GET")] * self._asks),
        )

    @property
    def _asks(self) -> bool:
        return self._model.challenge is not None

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        """Only the whole request can be authentic."""
        del head, keys
        return None

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        """By the rule of the source, over the raw bytes; raises 401."""
        del keys
        if delivery.head.method == "GET":
            return self._key
        request = _signed(delivery, self._public_url)
        rules = self._model.authenticate
        try:
            if rules.signatures:
                check_signatures(rules.signatures, request, self._secrets)
            elif rules.token is not None:
                fields = self._fields(delivery) if rules.token.field else None
                check_token(rules.token, request, self._secrets[rules.token.secret_env], fields)
            elif rules.basic is not None:
                check_basic(rules.basic, request, self._secrets[rules.basic.secret_env])
        except NotAuthentic as error:
            raise Refused(401, "unauthorized", f"Not taken: {error}.") from None
        return self._key

    def unpack(self, delivery: Delivery) -> Unpacked:
        """The records of the body that the source does not ignore."""
        if delivery.head.method == "GET":
            return Unpacked(items=(), read=_nothing, may_be_empty=True)
        content = self._content(delivery)
        try:
            records = self._mapping.records_in(content.value)
        except LineRefused as refused:
            raise refused_line(refused) from None

        def read(record: Any) -> EventLine:
            return self._mapping.read(content.event(record), delivery.received_at_ms)

        events = [
            record for record in records if not is_no_event(self._model, self._mapping, record)
        ]
        return Unpacked(items=events, read=read, may_be_empty=bool(records), kept_as=as_bytes)

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        """The status and body that the source takes for a success."""
        if head.method == "GET":
            return self._challenged(head)
        form, reply = self._model.form, self._model.reply
        if form is not None and form.redirect is not None:
            return Answer(status=303, content=b"", headers={"location": form.redirect})
        if reply is not None:
            content = reply.text.encode()
            return Answer(status=self._model.answer, content=content, media_type=reply.media_type)
        return Answer(status=self._model.answer, content=accepted(taken))

    def _content(self, delivery: Delivery) -> BodyJson:
        if self._model.format == "json":
            return read_body_json(delivery.body)
        try:
            value = self._value(delivery)
        except LineRefused as refused:
            raise Refused(400, refused.code, f"The body {refused}.") from None
        return BodyJson(value=value, length=len(delivery.body), has_nul=b"\0" in delivery.body)

    def _value(self, delivery: Delivery) -> Any:
        head, received_at_ms = delivery.head, delivery.received_at_ms
        if self._model.format == "form" and head.media_type == "multipart/form-data":
            return read_multipart(delivery.body, head.headers["content-type"], received_at_ms)
        return read_body(delivery.body, self._model.format, received_at_ms)

    def _fields(self, delivery: Delivery) -> Mapping[str, Any] | None:
        """The members of a body, for a token that stands among them."""
        value = self._content(delivery).value
        if not isinstance(value, dict):
            return None
        fields = value.get("fields") if self._model.format == "form" else value
        return fields if isinstance(fields, dict) else None

    def _challenged(self, head: RequestHead) -> Answer:
        rule = self._model.challenge
        assert rule is not None
        asked = head.query.get(rule.query, "")
        wanted = self._secrets[rule.verify_env] if rule.verify_env else ""
        shown = head.query.get(rule.verify_query or "", "")
        if not asked or not hmac.compare_digest(shown.encode(), wanted.encode()):
            raise Refused(403, "challenge", "The address is not confirmed: the token is another.")
        if not rule.signed:
            return Answer(status=200, content=asked.encode(), media_type="text/plain")
        # The same secret signs requests: what could be the body of one is not signed for anybody.
        if not _CODE.fullmatch(asked):
            raise Refused(403, "challenge", "A challenge has letters, digits and dashes alone.")
        secret = self._secrets[self._model.authenticate.secrets[0]]
        signed = hmac.digest(secret.encode(), asked.encode(), "sha256").hex()
        return Answer(status=200, content={"challengeCode": asked, "challengeResponse": signed})


def _nothing(item: Any) -> EventLine:
    raise LineRefused.of("wrong_type", f"is no event but a {type(item).__name__}")


def declared_sources(
    file: Path | None, environment: Mapping[str, str] | None = None
) -> tuple[Adapter, ...]:
    """The adapters of the sources of a file, or of all ``*.yaml`` of a folder; none without one.

    Raises ``SourcesWrong`` or :class:`SecretMissing`.
    """
    if file is None:
        return ()
    given = os.environ if environment is None else environment
    found = [
        adapter for source_file in source_files(file) for adapter in _of_file(source_file, given)
    ]
    paths = [adapter.endpoints[0].path for adapter in found]
    for path in paths:
        if paths.count(path) > 1:
            raise SourcesWrong(
                f"{file}: two sources have the path {path}; give one of them another"
            )
    return tuple(found)


def _of_file(file: Path, given: Mapping[str, str]) -> Iterator[Adapter]:
    model = read_sources(file)
    people = people_beside(file, model.people)
    for name, source in model.sources.items():
        secrets = {variable: given.get(variable, "") for variable in secrets_of(source)}
        for variable, secret in secrets.items():
            if not secret:
                raise SecretMissing(f"{file}: source {name} needs its secret in {variable}")
        yield DeclaredSource(
            name, source, secrets=secrets, public_url=model.public_url or "", people=people
        )


def _signed(delivery: Delivery, public_url: str) -> SignedRequest:
    head = delivery.head
    target = head.path + (f"?{head.raw_query}" if head.raw_query else "")
    return SignedRequest(
        method=head.method,
        url=public_url + target,
        path=head.path,
        headers=head.headers,
        query=head.query,
        body=delivery.body,
        received_at_ms=delivery.received_at_ms,
    )

"""A source of ``sources.yaml`` as an adapter: authentic by its rule, its records mapped by
JMESPath, answered as it says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from baton.intake.lines import EventLine
from baton.intake.reading import LineRefused
from baton.sources.mapping import SourceMapping
from baton.sources.model import SourceModel
from baton.sources.reading import SourcesWrong, path_of, read_sources
from baton.sources.signatures import (
    NotAuthentic,
    SignedRequest,
    check_basic,
    check_hmac,
    check_token,
)
from services.ingest.gateway.adapters.protocol import (
    Adapter,
    Answer,
    Delivery,
    Endpoint,
    RequestHead,
    accepted,
)
from services.ingest.gateway.json_body import read_body_json
from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.problem_details import Refused, refused_line
from services.ingest.gateway.write_keys import KeyRing, Scope, WriteKey


class SecretMissing(ValueError):
    """A source is described and its secret is not set; the text names the variable."""


class DeclaredSource:
    """The adapter of one described source."""

    def __init__(self, name: str, model: SourceModel, *, secret: str, public_url: str) -> None:
        self._model = model
        self._mapping = SourceMapping(model)
        self._secret = secret
        self._public_url = public_url
        self._key = WriteKey(name=name, scopes=frozenset(map(Scope, model.scopes)))
        path = path_of(name, model.path)
        self.endpoints = (
            Endpoint(path=path, summary=f"Source {name}", content={"application/json": {}}),
        )

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        """Only the whole request can be authentic."""
        del head, keys
        return None

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        """By the rule of the source, over the raw bytes; raises 401."""
        del keys
        request = _signed(delivery, self._public_url)
        rule = self._model.authenticate
        try:
            if rule.hmac is not None:
                check_hmac(rule.hmac, request, self._secret)
            elif rule.token is not None:
                check_token(rule.token, request, self._secret)
            elif rule.basic is not None:
                check_basic(rule.basic, request, self._secret)
        except NotAuthentic as error:
            raise Refused(401, "unauthorized", f"Not taken: {error}.") from None
        return self._key

    def unpack(self, delivery: Delivery) -> Unpacked:
        """The records of the body that the source does not ignore."""
        content = read_body_json(delivery.body)
        try:
            records = self._mapping.records_in(content.value)
        except LineRefused as refused:
            raise refused_line(refused) from None

        def read(record: Any) -> EventLine:
            return self._mapping.read(content.event(record))

        events = [record for record in records if not self._mapping.is_ignored(record)]
        return Unpacked(items=events, read=read, may_be_empty=bool(records))

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        """The status that the source takes for a success."""
        del head
        return Answer(status=self._model.answer, content=accepted(taken))


def declared_sources(
    file: Path | None, environment: Mapping[str, str] | None = None
) -> tuple[Adapter, ...]:
    """The adapters of the sources of a file, or of all ``*.yaml`` of a folder; none without one.

    Raises ``SourcesWrong`` or :class:`SecretMissing`.
    """
    if file is None:
        return ()
    given = os.environ if environment is None else environment
    files = sorted(file.glob("*.yaml")) if file.is_dir() else [file]
    found = [adapter for each in files for adapter in _of_file(each, given)]
    paths = [endpoint.path for adapter in found for endpoint in adapter.endpoints]
    for path in paths:
        if paths.count(path) > 1:
            raise SourcesWrong(
                f"{file}: two sources have the path {path}; give one of them another"
            )
    return tuple(found)


def _of_file(file: Path, given: Mapping[str, str]) -> Iterator[Adapter]:
    model = read_sources(file)
    for name, source in model.sources.items():
        secret = given.get(source.authenticate.secret_env)
        if not secret:
            raise SecretMissing(
                f"{file}: source {name} needs its secret in {source.authenticate.secret_env}"
            )
        yield DeclaredSource(name, source, secret=secret, public_url=model.public_url or "")


def _signed(delivery: Delivery, public_url: str) -> SignedRequest:
    head = delivery.head
    target = head.path + (f"?{head.raw_query}" if head.raw_query else "")
    return SignedRequest(
        method="POST",
        url=public_url + target,
        path=head.path,
        headers=head.headers,
        query=head.query,
        body=delivery.body,
        received_at_ms=delivery.received_at_ms,
    )

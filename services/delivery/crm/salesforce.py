"""Salesforce's leads or contacts: read by query, owner and stage by conditional updates, the rest
by upserts of two hundred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from services.delivery.crm.crm_carrier import Found, Refused, Write, Written
from services.delivery.crm.oauth_tokens import Token, TokenKeeper
from services.delivery.targets.crm_model import SHARED, SalesforceTarget

BATCH: Final = 200
_LISTED_BYTES: Final = 8_000
"""Half of what Salesforce takes as address and headers: properties and token have the rest."""
_AGAIN: Final = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"})
_CHANGED: Final = "ENTITY_CHANGED_SINCE"


class Salesforce:
    """``tokens``: who keeps the connected app's tokens."""

    def __init__(self, target: SalesforceTarget, tokens: TokenKeeper) -> None:
        self.key = target.external_id
        self._target, self._tokens = target, tokens
        self._client = httpx.AsyncClient(timeout=30, trust_env=False)
        self._shared = {written for field, written in target.write.items() if field in SHARED}

    async def close(self) -> None:
        """Leave the connections."""
        await self._client.aclose()

    async def check(self) -> tuple[bool, str]:
        """Asks for the limits."""
        await self._call("GET", "/limits")
        return True, "the token is alive"

    async def read(self, keys: Sequence[str], properties: Sequence[str]) -> Mapping[str, Found]:
        """The records there are, by key; of two with one key neither: which is meant is not for us
        to say."""
        fields = ", ".join(dict.fromkeys(("Id", self.key, "LastModifiedDate", *properties)))
        asked = f"SELECT {fields} FROM {self._target.sobject} WHERE {self.key} IN"
        records: list[dict[str, Any]] = []
        for listed in _lists(keys):
            records += await self._records(f"{asked} ({listed})")
        found: dict[str, Found] = {}
        doubled: set[str] = set()
        for record in records:
            key = str(record[self.key])
            key = key.lower() if self.key.lower() == "email" else key
            doubled |= {key} & found.keys()
            values = {
                name: None if record.get(name) is None else str(record[name]) for name in properties
            }
            found[key] = Found(
                object_id=record["Id"], values=values, changed=record["LastModifiedDate"]
            )
        return {key: one for key, one in found.items() if key not in doubled}

    async def _records(self, query: str) -> list[dict[str, Any]]:
        """All pages of a query's answer."""
        body = (await self._call("GET", "/query", params={"q": query})).json()
        records = list(body["records"])
        while not body.get("done", True):
            page = str(body["nextRecordsUrl"]).rpartition("/query/")[2]
            body = (await self._call("GET", f"/query/{page}")).json()
            records += body["records"]
        return records

    async def write(self, writes: Sequence[Write]) -> list[Written]:
        """First what people set too, each record under the condition that it is as it was read;
        then the rest in one call."""
        results = [await self._conditional(write) for write in writes]
        rest = [
            (number, write)
            for number, write in enumerate(writes)
            if results[number].error is None and _without(write.values, self._shared)
        ]
        if rest:
            for (number, _), result in zip(rest, await self._upsert(rest), strict=True):
                results[number] = result
        return results

    async def _conditional(self, write: Write) -> Written:
        shared = {name: value for name, value in write.values.items() if name in self._shared}
        if not shared or write.found is None:
            return Written(object_id=write.found.object_id if write.found else None)
        headers = {"If-Unmodified-Since": _http_date(write.found.changed or "")}
        path = f"/sobjects/{self._target.sobject}/{write.found.object_id}"
        answer = await self._call("PATCH", path, json=shared, headers=headers, good=(204, 400, 412))
        if answer.status_code == 412:
            return Written(error=_CHANGED, again=True)
        if answer.status_code == 400:
            return _failed(answer.json())
        return Written(object_id=write.found.object_id)

    async def _upsert(self, rest: Sequence[tuple[int, Write]]) -> list[Written]:
        records = [
            {
                "attributes": {"type": self._target.sobject},
                self.key: write.key,
                **(_without(write.values, self._shared) if write.found else write.values),
            }
            for _, write in rest
        ]
        path = f"/composite/sobjects/{self._target.sobject}/{self.key}"
        body = {"allOrNone": False, "records": records}
        answer = await self._call("PATCH", path, json=body)
        return [
            Written(object_id=str(item["id"])) if item["success"] else _failed(item["errors"])
            for item in answer.json()
        ]

    async def _call(
        self, method: str, path: str, *, good: tuple[int, ...] = (), **more: Any
    ) -> httpx.Response:
        token = await self._tokens.token(self._client)
        answer = await self._send(token, method, path, more)
        if answer.status_code == 401:
            token = await self._tokens.token(self._client, instead_of=token.access)
            answer = await self._send(token, method, path, more)
        if answer.status_code in (200, *good):
            return answer
        raise Refused(answer, f"Salesforce answers {answer.status_code}", status=_status(answer))

    async def _send(
        self, token: Token, method: str, path: str, more: Mapping[str, Any]
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token.access}", **more.get("headers", {})}
        url = f"{token.instance_url}/services/data/v{self._target.api_version}{path}"
        return await self._client.request(method, url, **{**more, "headers": headers})


def _lists(keys: Sequence[str]) -> Iterator[str]:
    """The keys as lists of SOQL, each short enough for an address: a query stands in it, and of a
    longer one Salesforce reads nothing (414)."""
    listed: list[str] = []
    length = 0
    for key in keys:
        word = f"'{_quoted(key)}'"
        size = len(quote(f"{word}, ", safe=""))
        if listed and length + size > _LISTED_BYTES:
            yield ", ".join(listed)
            listed, length = [], 0
        listed.append(word)
        length += size
    if listed:
        yield ", ".join(listed)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _without(values: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def _http_date(text: str) -> str:
    """Salesforce's ``2026-09-21T14:13:20.000+0000`` as a header has it: whole seconds."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _failed(errors: Any) -> Written:
    first = errors[0] if isinstance(errors, list) and errors else {}
    word = str(first.get("statusCode") or first.get("errorCode") or "error")[:60]
    return Written(error=word, again=word in _AGAIN)


def _status(answer: httpx.Response) -> int:
    """Salesforce says 403 where others say 429; a token that stays refused is an end."""
    if answer.status_code == 403 and "REQUEST_LIMIT_EXCEEDED" in answer.text[:1_000]:
        return 429
    return 410 if answer.status_code == 401 else answer.status_code

"""HubSpot's contacts: batches of a hundred, read and upserted by one unique property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from services.delivery.crm.crm_carrier import Found, Refused, Write, Written
from services.delivery.crm.oauth_tokens import TokenKeeper
from services.delivery.targets.crm_model import HubSpotTarget

BATCH: Final = 100
_CONTACTS: Final = "/crm/v3/objects/contacts"
_WHOLE_BATCH: Final = frozenset({400, 409, 422})


class HubSpot:
    """``token``: of a private app, or who keeps an app's tokens."""

    def __init__(self, target: HubSpotTarget, token: str | TokenKeeper) -> None:
        self.key = target.id_property
        self._target, self._token = target, token
        self._client = httpx.AsyncClient(timeout=20, trust_env=False)

    async def close(self) -> None:
        """Leave the connections."""
        await self._client.aclose()

    async def check(self) -> tuple[bool, str]:
        """Asks for one contact."""
        answer = await self._call("GET", f"{_CONTACTS}?limit=1", None)
        return answer.status_code == 200, "the token is alive and may read contacts"

    async def read(self, keys: Sequence[str], properties: Sequence[str]) -> Mapping[str, Found]:
        """The contacts there are, by their key in lower case, as HubSpot keeps addresses."""
        body = {
            "idProperty": self.key,
            "inputs": [{"id": key} for key in keys],
            "properties": [*properties, self.key],
            "propertiesWithHistory": [],
        }
        answer = await self._call("POST", f"{_CONTACTS}/batch/read", body)
        found = {}
        for item in answer.json()["results"]:
            key = str(item["properties"].get(self.key) or "").lower()
            found[key] = Found(object_id=str(item["id"]), values=item["properties"])
        return found

    async def write(self, writes: Sequence[Write]) -> list[Written]:
        """An upsert; what failed is recognised by the trace id that HubSpot gives back. Where
        HubSpot refuses a whole batch for one contact in it, the halves are written by themselves,
        so that the others do not wait for that one."""
        try:
            return await self._upsert(writes)
        except Refused as refusal:
            if refusal.status not in _WHOLE_BATCH:
                raise
            if len(writes) == 1:
                return [Written(error=str(refusal))]
        half = len(writes) // 2
        return [*await self.write(writes[:half]), *await self.write(writes[half:])]

    async def _upsert(self, writes: Sequence[Write]) -> list[Written]:
        inputs = [
            {
                "idProperty": self.key,
                "id": write.key,
                "properties": dict(write.values),
                "objectWriteTraceId": str(number),
            }
            for number, write in enumerate(writes)
        ]
        answer = await self._call("POST", f"{_CONTACTS}/batch/upsert", {"inputs": inputs})
        body = answer.json()
        done = {
            str(item.get("objectWriteTraceId")): str(item["id"]) for item in body.get("results", ())
        }
        failed = _errors(body)
        return [_written(str(number), done, failed) for number in range(len(writes))]

    async def _call(self, method: str, path: str, body: Any) -> httpx.Response:
        used = await self._bearer(None)
        answer = await self._send(method, path, body, used)
        if answer.status_code == 401 and isinstance(self._token, TokenKeeper):
            answer = await self._send(method, path, body, await self._bearer(used))
        if answer.status_code not in (200, 201, 207):
            raise Refused(answer, f"HubSpot answers {answer.status_code}", status=_status(answer))
        return answer

    async def _send(self, method: str, path: str, body: Any, bearer: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bearer}"}
        url = f"{self._target.api_url}{path}"
        return await self._client.request(method, url, json=body, headers=headers)

    async def _bearer(self, instead_of: str | None) -> str:
        if isinstance(self._token, str):
            return self._token
        return (await self._token.token(self._client, instead_of=instead_of)).access


def _status(answer: httpx.Response) -> int:
    """A token that stays refused is an end, as of an endpoint that is gone."""
    return 410 if answer.status_code in (401, 403) else answer.status_code


def _errors(body: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for error in body.get("errors", ()):
        word = str(error.get("category") or error.get("status") or "error")[:60]
        for trace in error.get("context", {}).get("objectWriteTraceId", ()):
            found[str(trace)] = word
    return found


def _written(trace: str, done: Mapping[str, str], failed: Mapping[str, str]) -> Written:
    if trace in failed:
        return Written(error=failed[trace], again=failed[trace] in ("CONFLICT", "RATE_LIMITS"))
    if trace in done:
        return Written(object_id=done[trace])
    return Written(error="no answer for it", again=True)

"""A HubSpot that is strict about its documented contacts API: token, batch sizes, doubled ids,
unknown properties, multi-status, limits; and refreshes tokens for one use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CONTACTS = "/crm/v3/objects/contacts"
KNOWN = (
    "email",
    "hubspot_owner_id",
    "baton_level",
    "baton_score",
    "hs_lead_status",
    "baton_next",
    "baton_track",
)
UNIQUE = ("email", "baton_lead_id")


@dataclass(slots=True)
class FakeHubSpot:
    """``fail``: statuses to answer first; ``refuse``: keys whose write is refused, with the
    category; ``spoil``: keys because of which a whole batch is refused, with the status."""

    token: str = "pat-1"
    refresh: str = "refresh-1"
    refreshed: int = 0
    busy: int = 0
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    fail: list[int] = field(default_factory=list)
    lose: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    spoil: dict[str, int] = field(default_factory=dict)
    upserts: list[list[dict[str, Any]]] = field(default_factory=list)
    serial: int = 100

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(CONTACTS, self.listed, methods=["GET"]),
                Route(f"{CONTACTS}/batch/read", self.read, methods=["POST"]),
                Route(f"{CONTACTS}/batch/upsert", self.upsert, methods=["POST"]),
                Route("/oauth/v1/token", self.exchange, methods=["POST"]),
            ]
        )

    def add(self, email: str, **values: str) -> str:
        self.serial += 1
        self.contacts[str(self.serial)] = {"email": email, **values}
        return str(self.serial)

    def problem(self, request: Request) -> Response | None:
        if self.fail:
            status = self.fail.pop(0)
            headers = {"Retry-After": "7"} if status == 429 else {}
            return JSONResponse(problem("RATE_LIMITS"), status_code=status, headers=headers)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse(problem("INVALID_AUTHENTICATION"), status_code=401)
        return None

    async def listed(self, request: Request) -> Response:
        return self.problem(request) or JSONResponse({"results": []})

    async def read(self, request: Request) -> Response:
        if (wrong := self.problem(request)) is not None:
            return wrong
        body = await request.json()
        if (wrong := wrong_batch(body.get("inputs"), body.get("idProperty"))) is not None:
            return wrong
        results, missing = [], []
        for item in body["inputs"]:
            found = self._find(body["idProperty"], item["id"])
            if found is None:
                missing.append(item["id"])
                continue
            names = {*body["properties"], body["idProperty"]}
            values = {name: self.contacts[found].get(name) for name in names}
            results.append({"id": found, "properties": values})
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if missing:
            answer["numErrors"] = 1
            answer["errors"] = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}]
        return JSONResponse(answer, status_code=207 if missing else 200)

    async def upsert(self, request: Request) -> Response:
        if (wrong := self.problem(request)) is not None:
            return wrong
        inputs = (await request.json()).get("inputs")
        if (wrong := wrong_batch(inputs, *{item.get("idProperty") for item in inputs})) is not None:
            return wrong
        for item in inputs:
            if item["id"] in self.spoil:
                return JSONResponse(problem("CONFLICT"), status_code=self.spoil[item["id"]])
        self.upserts.append(inputs)
        results, errors = [], []
        for item in inputs:
            trace = item.get("objectWriteTraceId")
            unknown = [name for name in item["properties"] if name not in KNOWN]
            category = self.refuse.get(item["id"]) or ("VALIDATION_ERROR" if unknown else None)
            if category:
                errors.append({"category": category, "context": {"objectWriteTraceId": [trace]}})
                continue
            found = self._find(item["idProperty"], item["id"]) or self.add(item["id"])
            self.contacts[found] |= item["properties"]
            results.append(
                {
                    "id": found,
                    "objectWriteTraceId": trace,
                    "new": False,
                    "properties": self.contacts[found],
                }
            )
        if self.lose:
            self.lose -= 1
            return Response("gone", status_code=502)
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            answer |= {"errors": errors, "numErrors": len(errors)}
        return JSONResponse(answer, status_code=207 if errors else 200)

    async def exchange(self, request: Request) -> Response:
        form = await request.form()
        await asyncio.sleep(0.05)
        if self.busy:
            self.busy -= 1
            text = "token request is already being processed"
            body = {"error": "invalid_grant", "error_description": text}
            return JSONResponse(body, status_code=400)
        if form.get("refresh_token") != self.refresh:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        self.refreshed += 1
        self.token, self.refresh = f"at-{self.refreshed}", f"rt-{self.refreshed}"
        found = {"access_token": self.token, "refresh_token": self.refresh, "expires_in": 1800}
        return JSONResponse(found)

    def _find(self, id_property: str, value: str) -> str | None:
        for name, contact in self.contacts.items():
            if contact.get(id_property, "").lower() == value.lower():
                return name
        return None


def problem(category: str) -> dict[str, str]:
    return {"status": "error", "category": category, "message": "no"}


def wrong_batch(inputs: Any, *id_properties: Any) -> Response | None:
    """Why HubSpot refuses the whole batch."""
    ids = [item["id"].lower() for item in inputs or ()]
    good = 1 <= len(ids) <= 100 and len(set(ids)) == len(ids)
    if good and all(name in UNIQUE for name in id_properties):
        return None
    return JSONResponse(problem("VALIDATION_ERROR"), status_code=400)

"""A Salesforce that is strict about its documented REST API: sessions, queries by external id,
collections of two hundred, conditional updates, limits; refresh tokens are good for one use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BASE = "/services/data/v62.0"
FIELDS = ("Id", "Baton_Lead_Id__c", "OwnerId", "Status", "Baton_Level__c", "LastModifiedDate")


@dataclass(slots=True)
class FakeSalesforce:
    """``between``: called once after the next query, as a person who comes between; ``refuse``:
    external ids whose write is refused, with the status code."""

    url: str = ""
    token: str = "none yet"
    refresh: str = "refresh-1"
    refreshed: int = 0
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    now_s: int = 1_790_000_000
    fail: list[tuple[int, str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    between: Any = None
    calls: list[str] = field(default_factory=list)
    page: int = 2_000
    left: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/services/oauth2/token", self.exchange, methods=["POST"]),
                Route(f"{BASE}/limits", self.limits, methods=["GET"]),
                Route(f"{BASE}/query", self.query, methods=["GET"]),
                Route(f"{BASE}/query/", self.query, methods=["GET"]),
                Route(f"{BASE}/query/{{rest}}", self.more, methods=["GET"]),
                Route(f"{BASE}/sobjects/Lead/{{id}}", self.update, methods=["PATCH"]),
                Route(f"{BASE}/composite/sobjects/Lead/{{field}}", self.upsert, methods=["PATCH"]),
            ]
        )

    def add(self, lead: str, **values: str) -> str:
        name = f"00Q{len(self.records):012d}AAA"
        self.records[name] = {"Id": name, "Baton_Lead_Id__c": lead}
        self.change(name, **values)
        return name

    def change(self, name: str, **values: str) -> None:
        self.now_s += 10
        at = datetime.fromtimestamp(self.now_s, UTC)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        self.records[name] |= {**values, "LastModifiedDate": stamp}

    def problem(self, request: Request) -> Response | None:
        self.calls.append(f"{request.method} {request.url.path.removeprefix(BASE)}")
        if self.fail:
            status, code = self.fail.pop(0)
            return JSONResponse([{"errorCode": code, "message": "no"}], status_code=status)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse([{"errorCode": "INVALID_SESSION_ID"}], status_code=401)
        return None

    async def limits(self, request: Request) -> Response:
        return self.problem(request) or JSONResponse({"DailyApiRequests": {"Max": 100_000}})

    async def exchange(self, request: Request) -> Response:
        form = await request.form()
        if form.get("refresh_token") != self.refresh:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        self.refreshed += 1
        self.token, self.refresh = f"at-{self.refreshed}", f"rt-{self.refreshed}"
        return JSONResponse(
            {
                "access_token": self.token,
                "refresh_token": self.refresh,
                "instance_url": self.url,
            }
        )

    async def query(self, request: Request) -> Response:
        if (wrong := self.problem(request)) is not None:
            return wrong
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > 16_384:
            return Response("<h1>Bad Message 414</h1>", status_code=414)
        text = request.query_params["q"]
        shape = r"SELECT ([\w, ]+) FROM Lead WHERE (\w+) IN \((.+)\)"
        found = re.fullmatch(shape, text)
        if found is None or any(name not in FIELDS for name in found[1].split(", ")):
            return JSONResponse([{"errorCode": "MALFORMED_QUERY"}], status_code=400)
        keys = re.findall(r"'((?:[^'\\]|\\.)*)'", found[3])
        names = found[1].split(", ")
        records = [
            {name: record.get(name) for name in names}
            for record in self.records.values()
            if record.get(found[2]) in keys
        ]
        if self.between is not None:
            come, self.between = self.between, None
            come()
        return self.paged(records)

    async def more(self, request: Request) -> Response:
        return self.problem(request) or self.paged(self.left)

    def paged(self, records: list[dict[str, Any]]) -> Response:
        shown, self.left = records[: self.page], records[self.page :]
        body: dict[str, Any] = {"totalSize": len(records), "done": not self.left, "records": shown}
        if self.left:
            body["nextRecordsUrl"] = f"{BASE}/query/01g000000000001-{self.page}"
        return JSONResponse(body)

    async def update(self, request: Request) -> Response:
        if (wrong := self.problem(request)) is not None:
            return wrong
        record = self.records.get(request.path_params["id"])
        if record is None:
            return JSONResponse([{"errorCode": "NOT_FOUND"}], status_code=404)
        since = request.headers.get("if-unmodified-since")
        changed = datetime.strptime(record["LastModifiedDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
        if since and changed > parsedate_to_datetime(since):
            return JSONResponse([{"errorCode": "ENTITY_CHANGED"}], status_code=412)
        values = await request.json()
        code = self.refuse.get(record["Baton_Lead_Id__c"])
        if code or any(name not in FIELDS for name in values):
            return JSONResponse([{"errorCode": code or "INVALID_FIELD"}], status_code=400)
        self.change(record["Id"], **values)
        return Response(status_code=204)

    async def upsert(self, request: Request) -> Response:
        if (wrong := self.problem(request)) is not None:
            return wrong
        body = await request.json()
        key, records = request.path_params["field"], body["records"]
        ids = [record[key] for record in records]
        if not 1 <= len(records) <= 200 or len(set(ids)) != len(ids) or body["allOrNone"]:
            return JSONResponse([{"errorCode": "INVALID_COLLECTION"}], status_code=400)
        return JSONResponse([self._upsert_one(key, record) for record in records])

    def _upsert_one(self, key: str, record: dict[str, Any]) -> dict[str, Any]:
        code = self.refuse.get(record[key])
        values = {name: value for name, value in record.items() if name not in ("attributes", key)}
        if record["attributes"] != {"type": "Lead"} or any(n not in FIELDS for n in values):
            code = "INVALID_FIELD"
        if code:
            return {"success": False, "errors": [{"statusCode": code, "message": "no"}]}
        found = next((n for n, r in self.records.items() if r.get(key) == record[key]), None)
        name = found or self.add(record[key])
        self.change(name, **values)
        return {"id": name, "success": True, "errors": [], "created": found is None}

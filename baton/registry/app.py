"""The HTTP side: Confluent Schema Registry's REST API, the part that reads.

Routes, content type and error codes are those of its documentation. Whoever tries to register or
change something gets 422 with code 42205, but for the registration of what is there already, which
gives its id: some serializers ask for that at every start.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.registry.book import LEVEL, RegistryError, SchemaBook, schema_in, text_of

CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_MOST_BYTES: Final = 1 << 20
_READ_ONLY = "Schemas change with a release of Baton: this registry is read-only."


class RegistryAnswer(JSONResponse):
    """JSON with the registry's content type."""

    media_type = CONTENT_TYPE


Page = Callable[[Request], Awaitable[Any]]


class RegistryApi:
    """The pages over one book."""

    def __init__(self, book: SchemaBook) -> None:
        self._book = book

    def app(self) -> Starlette:
        """The ASGI application."""
        table: tuple[tuple[str, str, Page], ...] = (
            ("GET", "/", self._root),
            ("GET", "/subjects", self._subjects),
            ("POST", "/subjects/{subject}", self._lookup),
            ("GET", "/subjects/{subject}/versions", self._versions),
            ("POST", "/subjects/{subject}/versions", self._register),
            ("GET", "/subjects/{subject}/versions/{version}", self._version),
            ("GET", "/subjects/{subject}/versions/{version}/schema", self._version_schema),
            ("GET", "/subjects/{subject}/versions/{version}/referencedby", self._referenced_by),
            ("GET", "/schemas", self._schemas),
            ("GET", "/schemas/types", self._types),
            ("GET", "/schemas/ids/{id:int}", self._schema),
            ("GET", "/schemas/ids/{id:int}/schema", self._schema_alone),
            ("GET", "/schemas/ids/{id:int}/subjects", self._schema_subjects),
            ("GET", "/schemas/ids/{id:int}/versions", self._schema_versions),
            ("GET", "/config", self._config),
            ("GET", "/config/{subject}", self._config),
            ("GET", "/mode", self._mode),
            ("GET", "/mode/{subject}", self._mode),
            ("GET", "/contexts", self._contexts),
            ("POST", "/compatibility/subjects/{subject}/versions", self._compatible),
            ("POST", "/compatibility/subjects/{subject}/versions/{version}", self._compatible),
            ("PUT", "/config", self._refuse),
            ("PUT", "/config/{subject}", self._refuse),
            ("PUT", "/mode", self._refuse),
            ("PUT", "/mode/{subject}", self._refuse),
            ("DELETE", "/config/{subject}", self._refuse),
            ("DELETE", "/subjects/{subject}", self._refuse),
            ("DELETE", "/subjects/{subject}/versions/{version}", self._refuse),
        )
        return Starlette(
            routes=[Route(path, _answering(page), methods=[verb]) for verb, path, page in table],
            exception_handlers={404: _not_found, 405: _not_found},
        )

    async def _root(self, request: Request) -> Any:
        return {}

    async def _subjects(self, request: Request) -> Any:
        prefix = request.query_params.get("subjectPrefix", "")
        return [subject for subject in self._book.subjects if subject.startswith(prefix)]

    async def _schemas(self, request: Request) -> Any:
        latest = request.query_params.get("latestOnly") == "true"
        return [
            self._described(subject, str(file.version))
            for subject in await self._subjects(request)
            for file in self._book.versions(subject)[-1 if latest else 0 :]
        ]

    async def _referenced_by(self, request: Request) -> Any:
        subject, version = request.path_params["subject"], request.path_params["version"]
        self._book.version(subject, version)
        return []  # every schema of Baton's is whole

    async def _versions(self, request: Request) -> Any:
        return [file.version for file in self._book.versions(request.path_params["subject"])]

    async def _version(self, request: Request) -> Any:
        return self._described(request.path_params["subject"], request.path_params["version"])

    async def _version_schema(self, request: Request) -> Any:
        subject, version = request.path_params["subject"], request.path_params["version"]
        return self._book.version(subject, version).schema

    async def _lookup(self, request: Request) -> Any:
        subject = request.path_params["subject"]
        file = self._book.lookup(subject, schema_in(await _body(request)))
        return self._described(subject, str(file.version))

    async def _register(self, request: Request) -> Any:
        text = schema_in(await _body(request))
        try:
            file = self._book.lookup(request.path_params["subject"], text)
        except RegistryError as error:
            if error.status == 404:
                raise RegistryError(422, 42205, _READ_ONLY) from None
            raise
        return {"id": file.id}

    async def _types(self, request: Request) -> Any:
        return ["AVRO"]

    async def _schema(self, request: Request) -> Any:
        return {"schema": text_of(self._book.schema(request.path_params["id"]))}

    async def _schema_alone(self, request: Request) -> Any:
        return self._book.schema(request.path_params["id"]).schema

    async def _schema_subjects(self, request: Request) -> Any:
        return list(self._book.subjects_of(self._book.schema(request.path_params["id"])))

    async def _schema_versions(self, request: Request) -> Any:
        file = self._book.schema(request.path_params["id"])
        return [
            {"subject": subject, "version": file.version}
            for subject in self._book.subjects_of(file)
        ]

    async def _config(self, request: Request) -> Any:
        subject = request.path_params.get("subject")
        if subject is not None:
            self._book.versions(subject)
        return {"compatibilityLevel": LEVEL}

    async def _mode(self, request: Request) -> Any:
        subject = request.path_params.get("subject")
        if subject is not None:
            self._book.versions(subject)
        return {"mode": "READONLY"}

    async def _contexts(self, request: Request) -> Any:
        return ["."]

    async def _compatible(self, request: Request) -> Any:
        found = self._book.incompatibilities(
            request.path_params["subject"],
            request.path_params.get("version"),
            schema_in(await _body(request)),
        )
        verbose = request.query_params.get("verbose") == "true"
        return {"is_compatible": not found, **({"messages": found} if verbose else {})}

    async def _refuse(self, request: Request) -> Any:
        raise RegistryError(422, 42205, _READ_ONLY)

    def _described(self, subject: str, version: str) -> dict[str, Any]:
        file = self._book.version(subject, version)
        return {
            "subject": subject,
            "version": file.version,
            "id": file.id,
            "schema": text_of(file),
        }


def _answering(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return RegistryAnswer(await page(request))
        except RegistryError as error:
            return _error(error.status, error.code, error.message)

    return answer


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, of bounded size; raises :class:`RegistryError`."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise RegistryError(413, 413, f"A request may have {_MOST_BYTES} bytes.")
    try:
        found = json.loads(bytes(raw))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RegistryError(422, 42201, "Invalid schema: the body is not a JSON object")
    return found


async def _not_found(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return _error(status, status, f"HTTP {status} {getattr(error, 'detail', '')}".strip())


def _error(status: int, code: int, message: str) -> Response:
    return RegistryAnswer({"error_code": code, "message": message}, status_code=status)

"""The OpenAPI 3.1 document, made from what the doors know, and the pages that show it."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from quart import Quart, Response

from commerce.foundation.downloads import Download
from commerce.foundation.errors import (
    CrossOriginError,
    InvalidRequestError,
    KeyMissingError,
    KeyReusedError,
    MalformedRequestError,
    RateLimitedError,
    RequestInFlightError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from commerce.foundation.http import Door, Route
from commerce.foundation.problems import PROBLEM_MEDIA_TYPE, Problem
from commerce.foundation.security import SessionCookie
from shared.errors import ExpectedError

_STATIC: Final = Path(__file__).parent / "static"
_VENDORED: Final = _STATIC / "vendor" / "swagger-ui"
_REFERENCE: Final = "#/components/schemas/{name}"
_ASSETS: Final = {
    "swagger-ui-bundle.js": (_VENDORED, "text/javascript"),
    "swagger-ui.css": (_VENDORED, "text/css"),
    "api_docs.js": (_STATIC, "text/javascript"),
}

Document = dict[str, Any]

_RAW: Final[Document] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}


def openapi_document(doors: Iterable[Door], *, version: str, cookie: SessionCookie) -> Document:
    """Return the document of every endpoint of `doors`."""
    routes = [route for door in doors for route in door.routes]
    schemas, components = _schemas(routes)
    paths: Document = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rialto",
            "version": version,
            "description": "The shop's HTTP interface. Refusals are problem+json (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({route.feature for route in routes})],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie.name},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def install_openapi(app: Quart, document: Document) -> None:
    """Serve the document at /openapi.json, and a page to try it out at /docs."""
    encoded = msgspec.json.encode(document)
    page = (_STATIC / "api_docs.html").read_bytes()

    @app.get("/openapi.json")
    async def openapi_json() -> Response:
        return Response(encoded, content_type="application/json")

    @app.get("/docs")
    async def api_docs() -> Response:
        return Response(page, content_type="text/html; charset=utf-8")

    for name, (folder, kind) in _ASSETS.items():
        _serve_asset(app, name, (folder / name).read_bytes(), kind)


def _serve_asset(app: Quart, name: str, content: bytes, kind: str) -> None:
    async def asset() -> Response:
        headers = {"cache-control": "public, max-age=86400"}
        return Response(content, headers=headers, content_type=f"{kind}; charset=utf-8")

    app.add_url_rule(f"/docs/{name}", f"docs.{name.replace('.', '_')}", asset)


def _schemas(routes: Sequence[Route]) -> tuple[dict[Any, Document], Document]:
    kinds = list(
        dict.fromkeys(
            kind
            for route in routes
            for kind in (route.body, route.out)
            if kind not in {None, bytes, Download}
        )
    )
    kinds.append(Problem)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    return dict(zip(kinds, schemas, strict=True)), components


def _operation(route: Route, schemas: dict[Any, Document]) -> Document:
    summary, _, description = route.description.partition("\n")
    operation: Document = {
        "operationId": f"{route.feature}_{route.name}",
        "tags": [route.feature],
        "summary": summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_key_parameter(route)],
        "responses": {
            str(route.status): _success(route, schemas),
            **_refusals(route, schemas),
            "default": _problem("Any other refusal.", schemas),
        },
    }
    if description.strip():
        operation["description"] = description.strip()
    if route.body is not None:
        content = _RAW if route.body is bytes else _json(schemas[route.body])
        operation["requestBody"] = {"required": True, "content": content}
    if route.auth != "none":
        anyone: list[Document] = [{}] if route.auth == "optional" else []
        operation["security"] = [{"cookie": []}, {"bearer": []}, *anyone]
    return operation


def _path_parameters(route: Route) -> list[Document]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.path_parameters
    ]


def _query_parameters(route: Route) -> list[Document]:
    if route.query is None:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=_REFERENCE)
    schema = components[route.query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": each}
        for name, each in schema["properties"].items()
    ]


def _key_parameter(route: Route) -> list[Document]:
    if route.method == "GET" or route.auth == "none" or route.idempotency == "none":
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": route.idempotency == "required",
            "description": "The same key with the same request again gives the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]


def _success(route: Route, schemas: dict[Any, Document]) -> Document:
    if route.out is None:
        return {"description": "Done."}
    if route.out is Download:
        file = {"schema": {"type": "string", "format": "binary"}}
        return {"description": "The file, or a part of it.", "content": {"*/*": file}}
    return {"description": "Done.", "content": _json(schemas[route.out])}


def _refusals(route: Route, schemas: dict[Any, Document]) -> Document:
    by_status: dict[int, list[type[ExpectedError]]] = {}
    for error in dict.fromkeys((*route.errors, *_usual_errors(route))):
        by_status.setdefault(error.http_status, []).append(error)
    return {
        str(status): _problem(" ".join(_meaning(error) for error in errors), schemas)
        for status, errors in sorted(by_status.items())
    }


def _usual_errors(route: Route) -> list[type[ExpectedError]]:
    usual: list[type[ExpectedError]] = []
    if route.idempotency == "required":
        usual.append(KeyMissingError)
    if route.body not in {None, bytes}:
        usual += [MalformedRequestError, UnsupportedMediaTypeError]
    if route.body not in {None, bytes} or route.query is not None:
        usual.append(InvalidRequestError)
    if route.auth == "required":
        usual.append(UnauthenticatedError)
    if route.method != "GET":
        usual.append(CrossOriginError)
    if route.method != "GET" and route.auth != "none":
        usual += [RequestInFlightError, KeyReusedError]
    return [*usual, RateLimitedError] if route.limit is not None else usual


def _meaning(error: type[ExpectedError]) -> str:
    sentence = re.sub(r"\s+", " ", (error.__doc__ or "").split("\n\n")[0]).strip()
    return f"`{error.code}`: {sentence}"


def _problem(description: str, schemas: dict[Any, Document]) -> Document:
    content = {PROBLEM_MEDIA_TYPE: {"schema": schemas[Problem]}}
    return {"description": description, "content": content}


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}

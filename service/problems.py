"""Turns every error into an RFC 9457 response: the project's own, FastAPI's, Starlette's, and the unforeseen."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from model.common.errors import GeoLocalizationError
from service.errors import ProblemKind, problem_body, problem_kind

__all__ = ["PROBLEM_JSON", "install_handlers", "problem_response", "response_for"]

PROBLEM_JSON = "application/problem+json"

_PLAINER = {"Value error, Expected UploadFile, received: <class 'str'>": "is text; send it as a file, with a file name"}

logger = logging.getLogger(__name__)


def install_handlers(app: FastAPI) -> None:
    """Let `app` answer each of its errors with a problem."""
    app.add_exception_handler(GeoLocalizationError, _on_own_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_unforeseen)


def problem_response(
    kind: ProblemKind, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """A response that carries one problem."""
    body = json.dumps(problem_body(kind, detail, **members), ensure_ascii=False).encode()
    return Response(body, kind.status, headers, PROBLEM_JSON)


def response_for(error: Exception) -> Response:
    """The response for one of the project's errors; an unforeseen one says nothing of the inside."""
    kind = problem_kind(error)
    if kind.status == 500:
        return problem_response(kind)
    retry_after_s = getattr(error, "retry_after_s", 1)
    headers = {"Retry-After": str(retry_after_s)} if kind.status == 503 else None
    return problem_response(kind, str(error), headers=headers)


async def _on_own_error(_: Request, error: Exception) -> Response:
    response = response_for(error)
    if response.status_code == 500:
        logger.error("unforeseen error", exc_info=error)
    return response


async def _on_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = problem_kind(error.status_code)
    detail = None if error.status_code in (404, 405) else str(error.detail)
    return problem_response(kind, detail, headers=error.headers)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid_fields([_complaint(item) for item in error.errors()])


def invalid_fields(complaints: Sequence[Mapping[str, str]]) -> Response:
    """A 422 that names each wrong field and says why."""
    detail = "; ".join(f"{item['field']}: {item['reason']}" for item in complaints)
    return problem_response(problem_kind(422), detail, errors=list(complaints))


async def _on_unforeseen(_: Request, error: Exception) -> Response:
    return response_for(error)  # the server logs it: Starlette raises it again


def _complaint(item: Mapping[str, Any]) -> dict[str, str]:
    where = [str(part) for part in item["loc"] if part not in ("body", "query", "path")]
    return {"field": where[0] if where else "form", "reason": _reason(item)}


def _reason(item: Mapping[str, Any]) -> str:
    """Why a value was refused, with the value where it is short enough to help."""
    message, seen = str(item["msg"]), item.get("input")
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "extra_forbidden":
        return "is not a field of this form"
    if item["type"] == "value_error":
        return _PLAINER.get(message, message.removeprefix("Value error, "))
    return f"{message} (got {seen[:80]!r})" if isinstance(seen, str) else message

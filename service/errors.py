"""Errors of the service, and the one table that says which HTTP status each error of the project becomes.

GeoLocalizationError
├── TileNotFound      (LookupError)    no picture of that tile can be served
├── NotReady          (RuntimeError)   model and index are not (or no longer) loaded
├── Overloaded        (RuntimeError)   more requests wait than the queue takes
├── DeadlineExceeded  (TimeoutError)   the answer would come later than promised
├── WorkerLost        (RuntimeError)   a process of the service died for no fault of the photo
└── Abandoned         (RuntimeError)   the client went away; nobody reads this one

Every error body is an RFC 9457 problem. An error that is not in the table is a plain 500 that says nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from indexer.common.errors import (
    DatabaseAway,
    DatabaseFault,
    IndexDamaged,
    NoTilesInRegion,
    NotInDatabase,
    TooManyTiles,
)
from model.common.errors import BadCoordinates, BadImage, GeoLocalizationError

__all__ = [
    "PROBLEM_JSON",
    "Abandoned",
    "BadField",
    "DeadlineExceeded",
    "NotReady",
    "Overloaded",
    "ProblemKind",
    "StorageFault",
    "TileNotFound",
    "WorkerLost",
    "install_handlers",
    "is_fault",
    "known_kinds",
    "problem_body",
    "problem_kind",
    "problem_of",
    "problem_response",
    "response_for",
    "tell_fault",
]


class TileNotFound(GeoLocalizationError, LookupError):
    """The index holds no such tile, or its picture is not on this disk."""


class NotReady(GeoLocalizationError, RuntimeError):
    """Model and index are not loaded (yet)."""


class Overloaded(GeoLocalizationError, RuntimeError):
    """More requests wait than the queue takes; `retry_after_s` says when to try again."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(GeoLocalizationError, TimeoutError):
    """The request waited longer than the service promises to take."""

    retry_after_s = 1


class WorkerLost(GeoLocalizationError, RuntimeError):
    """A process of the service died, and not because of the photo it worked on."""

    retry_after_s = 5


class StorageFault(HTTPException):
    """An upload cannot be kept: the spool is full, or cannot be written to."""

    def __init__(self) -> None:
        detail = "the upload cannot be kept: the service's temporary storage is full or read-only; try again later"
        super().__init__(503, detail, {"Retry-After": "30"})


class Abandoned(GeoLocalizationError, RuntimeError):
    """The client went away before its turn came."""


class BadField(HTTPException):
    """A field of a form that cannot be read at all; others are found when the form is checked."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(422, f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class ProblemKind:
    """How one kind of error is told over HTTP."""

    status: int
    slug: str
    title: str


_TABLE: tuple[tuple[type[Exception], ProblemKind], ...] = (
    (BadImage, ProblemKind(422, "bad-image", "The photo cannot be used")),
    (BadCoordinates, ProblemKind(422, "bad-coordinates", "Invalid coordinate")),
    (NoTilesInRegion, ProblemKind(422, "no-tiles-in-region", "No tile lies in the given area")),
    (TooManyTiles, ProblemKind(422, "too-many-tiles", "The area has too many tiles")),
    (TileNotFound, ProblemKind(404, "no-such-tile", "There is no such tile")),
    (NotReady, ProblemKind(503, "not-ready", "The service is not ready")),
    (Overloaded, ProblemKind(503, "overloaded", "The service is busy")),
    (DeadlineExceeded, ProblemKind(503, "deadline-exceeded", "The answer would come too late")),
    (WorkerLost, ProblemKind(503, "worker-lost", "The photo could not be worked on")),
    (NotInDatabase, ProblemKind(422, "not-in-database", "An index in a database cannot answer that")),
    (DatabaseAway, ProblemKind(503, "database-away", "The index's database does not answer")),
    (DatabaseFault, ProblemKind(503, "database-fault", "The index's database cannot answer")),
    (IndexDamaged, ProblemKind(503, "index-damaged", "The index cannot be read")),
    (Abandoned, ProblemKind(499, "abandoned", "The client went away")),
)

_UNTOLD = (IndexDamaged, DatabaseAway, DatabaseFault)
"""Whose paths and addresses are nobody's business but the log's."""

_STATUS_KINDS: dict[int, ProblemKind] = {
    401: ProblemKind(401, "no-key", "An API key is needed"),
    421: ProblemKind(421, "unknown-host", "The service does not answer under that host name"),
    429: ProblemKind(429, "too-many-requests", "The key has asked as often as it may"),
    400: ProblemKind(400, "bad-request", "The request cannot be read"),
    404: ProblemKind(404, "not-found", "There is nothing at this address"),
    405: ProblemKind(405, "method-not-allowed", "This address takes another method"),
    408: ProblemKind(408, "upload-too-slow", "The upload took too long"),
    413: ProblemKind(413, "upload-too-large", "The upload is too large"),
    422: ProblemKind(422, "invalid-request", "A value of the request is missing or wrong"),
    503: ProblemKind(503, "storage-fault", "The service cannot keep the upload"),
    500: ProblemKind(500, "internal-error", "Something went wrong inside the service"),
}


def problem_kind(error: Exception | int) -> ProblemKind:
    """The kind for an error, or for a bare HTTP status; an error that nobody foresaw is a 500."""
    if isinstance(error, int):
        return _STATUS_KINDS.get(error, ProblemKind(error, f"http-{error}", "The request failed"))
    for expected, kind in _TABLE:
        if isinstance(error, expected):
            return kind
    return _STATUS_KINDS[500]


def is_fault(error: Exception) -> bool:
    """Whether it is the server's, or of the moment, and not that of what was asked."""
    return problem_kind(error).status >= 500


def known_kinds() -> list[ProblemKind]:
    """Every kind that this service answers with."""
    return [*(kind for _, kind in _TABLE), *_STATUS_KINDS.values()]


def problem_body(kind: ProblemKind, detail: str | None = None, **members: Any) -> dict[str, Any]:
    """The RFC 9457 members of one problem, and further ones such as `errors`."""
    body: dict[str, Any] = {"type": f"urn:clnet:problem:{kind.slug}", "title": kind.title, "status": kind.status}
    if detail is not None:
        body["detail"] = detail
    return body | members


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
    if isinstance(error, _UNTOLD):
        return problem_response(kind, headers={"Retry-After": str(getattr(error, "retry_after_s", 60))})
    retry_after_s = getattr(error, "retry_after_s", 1)
    headers = {"Retry-After": str(retry_after_s)} if kind.status == 503 else None
    return problem_response(kind, str(error), headers=headers)


def problem_of(error: Exception) -> dict[str, Any]:
    """The problem members for one of the project's errors, where it stands inside another answer."""
    body: dict[str, Any] = json.loads(bytes(response_for(error).body))
    return body


async def _on_own_error(_: Request, error: Exception) -> Response:
    tell_fault(error)
    return response_for(error)


def tell_fault(error: Exception) -> None:
    """Write what is the server's fault to the log, where alone it is told in full; nothing for any other error."""
    if problem_kind(error).status == 500:
        logger.error("unforeseen error", exc_info=error)
    elif isinstance(error, (*_UNTOLD, WorkerLost)):
        logger.error("a request could not be answered: %s", error)


async def _on_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, BadField):
        return invalid_fields([{"field": error.field, "reason": error.reason}])
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

"""Errors of the service, and the one table that says which HTTP status each error of the project becomes.

GeoLocalizationError
├── NoTilesInRegion   (LookupError)    the area prior leaves no tile to compare with
├── TileNotFound      (LookupError)    no picture of that tile can be served
├── NotReady          (RuntimeError)   model and index are not (or no longer) loaded
├── Overloaded        (RuntimeError)   more requests wait than the queue takes
├── DeadlineExceeded  (TimeoutError)   the answer would come later than promised
└── Abandoned         (RuntimeError)   the client went away; nobody reads this one

Every error body is an RFC 9457 problem. An error that is not in the table is a plain 500 that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.common.errors import BadCoordinates, BadImage, GeoLocalizationError

__all__ = [
    "Abandoned",
    "DeadlineExceeded",
    "NoTilesInRegion",
    "NotReady",
    "Overloaded",
    "ProblemKind",
    "TileNotFound",
    "problem_body",
    "problem_kind",
]


class NoTilesInRegion(GeoLocalizationError, LookupError):
    """The area prior of a request leaves no tile to compare with."""


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


class Abandoned(GeoLocalizationError, RuntimeError):
    """The client went away before its turn came."""


@dataclass(frozen=True)
class ProblemKind:
    """How one kind of error is told over HTTP."""

    status: int
    slug: str
    title: str


_TABLE: tuple[tuple[type[Exception], ProblemKind], ...] = (
    (BadImage, ProblemKind(422, "bad-image", "The photo cannot be used")),
    (BadCoordinates, ProblemKind(422, "bad-coordinates", "A coordinate cannot be")),
    (NoTilesInRegion, ProblemKind(422, "no-tiles-in-region", "No tile lies in the given area")),
    (TileNotFound, ProblemKind(404, "no-such-tile", "There is no such tile")),
    (NotReady, ProblemKind(503, "not-ready", "The service is not ready")),
    (Overloaded, ProblemKind(503, "overloaded", "The service is busy")),
    (DeadlineExceeded, ProblemKind(503, "deadline-exceeded", "The answer would come too late")),
    (Abandoned, ProblemKind(499, "abandoned", "The client went away")),
)

_STATUS_KINDS: dict[int, ProblemKind] = {
    400: ProblemKind(400, "bad-request", "The request cannot be read"),
    404: ProblemKind(404, "not-found", "There is nothing at this address"),
    405: ProblemKind(405, "method-not-allowed", "This address takes another method"),
    408: ProblemKind(408, "upload-too-slow", "The upload took too long"),
    413: ProblemKind(413, "upload-too-large", "The upload is too large"),
    422: ProblemKind(422, "invalid-request", "A value of the request is missing or wrong"),
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


def problem_body(kind: ProblemKind, detail: str | None = None, **members: Any) -> dict[str, Any]:
    """The RFC 9457 members of one problem, and further ones such as `errors`."""
    body: dict[str, Any] = {"type": f"urn:clnet:problem:{kind.slug}", "title": kind.title, "status": kind.status}
    if detail is not None:
        body["detail"] = detail
    return body | members

"""Examples for OpenAPI of every way in which the service refuses."""

from __future__ import annotations

from typing import Any

from service.errors import ProblemKind, known_kinds, problem_body

__all__ = ["problem_examples"]

_DETAILS: dict[str, str | None] = {
    "bad-request": "the body ends before its last boundary; the upload was cut off, so send it again",
    "no-key": "give an API key that is valid, in `Authorization: Bearer KEY`",
    "not-found": None,
    "no-such-tile": "the index has no picture of tile 18/1/1",
    "upload-too-slow": "the upload was not complete after 30 s; send a smaller photo",
    "upload-too-large": "the request body is larger than 32 MiB; send a smaller photo",
    "unknown-host": "this service does not answer under that host name; ask it under one that it was given",
    "invalid-request": "near: latitude 91.0 is not in [-90, 90]; coordinates are (lat, lon) in degrees",
    "bad-image": "the image is empty (0 bytes); send a JPEG, for example",
    "no-tiles-in-region": "no tile of the index lies in the given area",
    "too-many-tiles": "the area holds more tiles than photos are scored with together; give a smaller one",
    "too-many-requests": "this key has asked as often as it may; try again later",
    "overloaded": "66 requests wait or are worked on, which is the limit; try again later",
    "deadline-exceeded": "the answer was not there after 30 s; try again later",
    "not-ready": "the model is being loaded",
    "storage-fault": "the upload cannot be kept: the service's temporary storage is full or read-only; try again later",
    "worker-lost": "the decoding process died twice; the server is short of memory, or is being stopped",
    "index-damaged": None,
    "database-away": None,
    "database-fault": None,
    "not-in-database": "photos of one place are answered together from the scores of every tile, not by a database",
}


def problem_examples(*slugs: str) -> dict[str, Any]:
    """What OpenAPI shows of the kinds of problems that an answer may be, by the end of their `type`."""
    kinds = {kind.slug: kind for kind in known_kinds()}
    return {slug: {"summary": kinds[slug].title, "value": _problem(kinds[slug])} for slug in slugs}


def _problem(kind: ProblemKind) -> dict[str, Any]:
    wrong = {"errors": [{"field": "near", "reason": "latitude 91.0 is not in [-90, 90]; coordinates are (lat, lon)"}]}
    return problem_body(kind, _DETAILS[kind.slug], **(wrong if kind.slug == "invalid-request" else {}))

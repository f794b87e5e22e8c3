"""What routes ask of the app: engine, serving state, settings, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData

from service.answering import Serving
from service.engine import Engine
from service.errors import PROBLEM_JSON
from service.metrics import Metrics
from service.problem_examples import problem_examples
from service.schemas import Problem
from service.settings import Settings

__all__ = [
    "UPLOAD_PROBLEMS",
    "EngineOfApp",
    "MetricsOfApp",
    "ServingOfApp",
    "SettingsOfApp",
    "check_fields",
    "no_empty_or_repeated_fields",
    "only_photos_repeated",
    "problem",
    "reader_of",
]


def problem(description: str, *slugs: str) -> dict[str, Any]:
    """What OpenAPI says of a refusal.

    Args:
        description: when it comes.
        slugs: the kinds of problem that it may be, each shown as an example.
    """
    shown = {"schema": Problem.model_json_schema(), "examples": problem_examples(*slugs)}
    return {"description": description, "content": {PROBLEM_JSON: shown}}


UPLOAD_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: problem("The body is cut off, no multipart data, or has too many parts.", "bad-request"),
    408: problem("The upload took too long, or was too slow.", "upload-too-slow"),
    413: problem("The upload is too large.", "upload-too-large"),
    503: problem(
        "Busy, not ready, or a fault of the server; try again after `Retry-After` seconds.",
        *("overloaded", "deadline-exceeded", "not-ready", "worker-lost", "index-damaged", "storage-fault"),
        *("database-away", "database-fault"),
    ),
}
"""How every address that takes photos may refuse."""


# These are coroutines, since FastAPI runs plain functions in threads, one change of thread for each.
async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineOfApp = Annotated[Engine, Depends(_engine)]


async def _serving(engine: EngineOfApp) -> Serving:
    return engine.require()


ServingOfApp = Annotated[Serving, Depends(_serving)]


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


MetricsOfApp = Annotated[Metrics, Depends(_metrics)]


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


SettingsOfApp = Annotated[Settings, Depends(_settings)]


async def no_empty_or_repeated_fields(request: Request) -> None:
    """FastAPI takes an empty form field for an absent one; here it is a mistake of the client."""
    await check_fields(request, many=())


async def only_photos_repeated(request: Request) -> None:
    """The same where several photos come in one field."""
    await check_fields(request, many=("panorama",))


async def check_fields(request: Request, *, many: Sequence[str]) -> None:
    """The same where some fields may be repeated.

    Raises:
        RequestValidationError: a field is empty, or another one is repeated.
    """
    form: FormData = await request.form()
    mistakes = []
    for name in form:
        values = form.getlist(name)
        if len(values) > 1 and name not in many:
            mistakes.append(_mistake(name, "is given more than once"))
        elif "" in values:
            mistakes.append(_mistake(name, "is empty; give a value, or leave the field out"))
    if mistakes:
        raise RequestValidationError(mistakes)


def reader_of(upload: UploadFile) -> Callable[[], Awaitable[bytes]]:
    """What reads an upload from its beginning, however often it is called; in a thread where it lies on disk."""

    async def read() -> bytes:
        await upload.seek(0)
        return await upload.read()

    return read


def _mistake(field: str, reason: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("body", field[:80]), "msg": reason, "input": None}

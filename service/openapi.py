"""What OpenAPI says beyond what the framework finds out: examples, keys, and only the refusals that really occur."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from service.dependencies import problem
from service.examples import ANSWERS, FORMS
from service.schemas import Problem

__all__ = ["complete_openapi"]

_Json = dict[str, Any]
_HEALTH = frozenset({"healthz", "readyz"})
_FOR_ALL = {
    "401": problem("The service asks for API keys, and none that is valid was given.", "no-key"),
    "421": problem("The service was told its host names, and this is none.", "unknown-host"),
    "429": problem("The key has asked as often as it may.", "too-many-requests"),
}
"""But for health, which is told to anyone."""
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where the service asks for one."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


def complete_openapi(app: FastAPI, *, keys: bool) -> None:
    """Let `app` describe itself completely.

    Args:
        app: whose routes are all there.
        keys: whether it asks for API keys.
    """
    plain = app.openapi

    def described() -> _Json:
        if app.openapi_schema is None:
            _complete(plain(), keys=keys)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: _Json, *, keys: bool) -> None:
    parts = document["components"]
    for name in _FRAMEWORKS_OWN:  # its words for a 422, which is a problem here
        parts["schemas"].pop(name, None)
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    parts["securitySchemes"] = _SCHEMES
    for operation in _operations(document):
        name, answers = operation["operationId"], operation["responses"]
        if name not in _HEALTH:
            answers.update(_FOR_ALL)
            operation["security"] = [*([] if keys else [{}]), {"bearer": []}, {"header": []}]
        _drop_foreign(answers)
        _show_answers(answers, ANSWERS.get(name, {}))
        _show_forms(operation, FORMS.get(name, {}))
        operation["responses"] = dict(sorted(answers.items()))


def _operations(document: _Json) -> Iterator[_Json]:
    for path in document["paths"].values():
        yield from path.values()


def _drop_foreign(answers: _Json) -> None:
    """Leave out what the framework supposes of every route with a parameter; and name one schema of a problem."""
    for status, answer in list(answers.items()):
        content = answer.get("content", {})
        if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith(_FRAMEWORKS_OWN[0]):
            del content["application/json"]
            if not content:
                del answers[status]
        if "application/problem+json" in content:
            content["application/problem+json"]["schema"] = {"$ref": "#/components/schemas/Problem"}
            if status in ("429", "503"):
                answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def _show_answers(answers: _Json, examples: _Json) -> None:
    for kind, example in examples.items():
        answers["200"]["content"][kind]["example"] = example


def _show_forms(operation: _Json, forms: _Json) -> None:
    if forms:
        content = operation["requestBody"]["content"]["multipart/form-data"]
        content["examples"] = {name: {"summary": name, "value": form} for name, form in forms.items()}

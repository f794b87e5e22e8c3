import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from indexer.common.errors import DatabaseAway, DatabaseFault, IndexDamaged, NoTilesInRegion, NotInDatabase
from model.common.errors import BadCoordinates, BadImage
from service.errors import (
    Abandoned,
    DeadlineExceeded,
    NotReady,
    Overloaded,
    TileNotFound,
    install_handlers,
    invalid_fields,
    problem_body,
    problem_kind,
    response_for,
)


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (BadImage("x"), 422, "bad-image"),
        (BadCoordinates("x"), 422, "bad-coordinates"),
        (NoTilesInRegion("x"), 422, "no-tiles-in-region"),
        (TileNotFound("x"), 404, "no-such-tile"),
        (NotReady("x"), 503, "not-ready"),
        (Overloaded("x"), 503, "overloaded"),
        (DeadlineExceeded("x"), 503, "deadline-exceeded"),
        (Abandoned("x"), 499, "abandoned"),
        (IndexDamaged("x"), 503, "index-damaged"),
        (DatabaseAway("x"), 503, "database-away"),
        (DatabaseFault("x"), 503, "database-fault"),
        (NotInDatabase("x"), 422, "not-in-database"),
        (ZeroDivisionError("x"), 500, "internal-error"),
        (413, 413, "upload-too-large"),
        (418, 418, "http-418"),
    ],
)
def test_each_error_has_one_status_and_one_name(error, status, slug):
    kind = problem_kind(error)
    assert (kind.status, kind.slug) == (status, slug)


def test_a_problem_has_the_members_of_rfc_9457_and_more_where_given():
    body = problem_body(problem_kind(422), "top_k: is missing", errors=[{"field": "top_k", "reason": "is missing"}])
    assert body["type"] == "urn:clnet:problem:invalid-request"
    assert (body["status"], body["detail"]) == (422, "top_k: is missing")
    assert body["errors"] == [{"field": "top_k", "reason": "is missing"}]
    assert "detail" not in problem_body(problem_kind(500))


def test_an_unforeseen_error_says_nothing_of_the_inside():
    response = response_for(RuntimeError("/secret/path"))
    assert response.status_code == 500
    assert b"secret" not in bytes(response.body)


@pytest.mark.parametrize(
    ("error", "seconds"), [(Overloaded("full", retry_after_s=7), "7"), (NotReady("soon"), "1"), (BadImage("x"), None)]
)
def test_only_what_passes_may_be_tried_again(error, seconds):
    assert response_for(error).headers.get("Retry-After") == seconds


def test_each_wrong_field_is_named():
    response = invalid_fields([{"field": "near", "reason": "is empty"}, {"field": "top_k", "reason": "is 0"}])
    assert response.status_code == 422
    assert json.loads(bytes(response.body))["detail"] == "near: is empty; top_k: is 0"


def test_an_app_answers_its_errors_with_problems():
    app = FastAPI()
    install_handlers(app)

    @app.get("/photo")
    def photo():
        raise BadImage("the image is empty (0 bytes)")

    @app.get("/number/{value}")
    def number(value: int):
        return value

    client = TestClient(app)
    found = client.get("/photo")
    assert (found.status_code, found.headers["content-type"]) == (422, "application/problem+json")
    assert found.json()["detail"] == "the image is empty (0 bytes)"
    assert client.get("/nowhere").json()["type"] == "urn:clnet:problem:not-found"
    assert "(got 'ten')" in client.get("/number/ten").json()["errors"][0]["reason"]

"""The service's description of itself is complete, and its examples are what it says that they are."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from service.app import create_app
from service.examples import ANSWERS, FORMS
from service.keys import new_key
from service.schemas import Info, LocalizeAnswer, LocalizeForm, Problem, Status, TileJson
from service.schemas_explain import ExplainAnswer
from service.schemas_many import BatchLine, TrackAnswer
from service.together import TogetherAnswer

MODELS = {
    "localize": LocalizeAnswer,
    "localize_together": TogetherAnswer,
    "localizeBatch": BatchLine,
    "localizeTrack": TrackAnswer,
    "explain": ExplainAnswer,
    "healthz": Status,
    "readyz": Status,
    "info": Info,
    "tilejson": TileJson,
}


@pytest.fixture
def document(settings):
    return create_app(settings).openapi()


def operations(document):
    return {operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()}


def test_every_operation_shows_an_example_of_every_answer_that_is_text(document):
    for name, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                if not kind.startswith("image/"):
                    assert "example" in content or content["examples"], (name, status, kind)


def test_examples_are_answers_that_the_models_take():
    for name, model in MODELS.items():
        example = next(iter(ANSWERS[name].values()))
        assert TypeAdapter(model).validate_python(example).model_dump(mode="json") == example


def test_every_form_has_an_example_whose_fields_are_those_of_the_form(document):
    parts = document["components"]["schemas"]
    for name, operation in operations(document).items():
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["multipart/form-data"]
            fields = parts[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
            for example in content["examples"].values():
                assert set(example["value"]) < set(fields), name
    assert set(FORMS["localize"]["ordinary photo in an area"]) < set(LocalizeForm.model_fields)


def test_a_refusal_is_shown_with_the_status_under_which_it_stands(document):
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            for example in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).values():
                assert Problem.model_validate(example["value"]).status == int(status)


def test_what_the_framework_supposes_and_the_service_never_answers_is_left_out(document):
    assert "422" not in operations(document)["tileById"]["responses"]
    assert "422" not in operations(document)["overview"]["responses"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert not [text for text in _references(document) if text.startswith("#/$defs")]


def test_keys_are_asked_for_in_words_where_they_are_asked_for(settings, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(new_key("anna", None)[1] + "\n")
    open_to_all = operations(create_app(settings).openapi())
    locked = operations(create_app(replace(settings, api_keys=keys)).openapi())
    assert {} in open_to_all["localize"]["security"]
    assert {} not in locked["localize"]["security"]
    assert "security" not in locked["healthz"]
    assert "401" in locked["localize"]["responses"]
    assert "401" not in locked["readyz"]["responses"]


def _references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)

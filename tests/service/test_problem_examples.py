import pytest

from service.errors import known_kinds
from service.problem_examples import problem_examples


def test_every_kind_of_refusal_that_a_client_sees_has_an_example():
    seen = {kind.slug: kind for kind in known_kinds()}
    unseen = {"abandoned", "internal-error", "method-not-allowed"}  # nobody reads it; a defect; no address's own
    for slug in set(seen) - unseen - {"bad-coordinates"}:
        assert problem_examples(slug)[slug]["value"]["status"] == seen[slug].status


def test_an_unknown_kind_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        problem_examples("no-such-kind")

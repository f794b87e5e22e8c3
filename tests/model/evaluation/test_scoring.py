import pytest

from model.common.errors import BadConfig
from model.evaluation.scoring import Scoring

SET = {"references": 951, "distractors": 250, "positives": (1, 54)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ties": "lucky"}, {"one_percent": "2"}, {"distractors": "hide"}, {"within_m": (5.0, 0.0)},
        {"within_m": (float("nan"),)}, {"within_m": (float("inf"),)},
    ],
)  # fmt: skip
def test_a_rule_that_nobody_has_is_refused(wrong):
    with pytest.raises(BadConfig, match="the protocol"):
        Scoring(**wrong)


def test_every_choice_is_told():
    strict = Scoring().as_json(**SET)
    assert strict == {
        "positives": "1 to 54 a query, the best counts",
        "ties": "pessimistic: they count against the model",
        "recall@1%": "the first 9: 1 % of 951, rounded down, at least 1",
        "distractors": "kept, 250 of 951 references",
    }
    as_published = Scoring("optimistic", "round+1", "drop", (5.0, 25.0)).as_json(**SET)
    assert "for the model" in as_published["ties"]
    assert as_published["recall@1%"].startswith("the first 11: 1 % of 951")
    assert as_published["distractors"] == "dropped, 250 of 951 references"
    assert as_published["within_m"] == [5.0, 25.0]

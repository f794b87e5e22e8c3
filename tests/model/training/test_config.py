import json

import pytest

from model.common.errors import BadConfig
from model.data.augment_spec import AugmentSpec
from model.training.config import RunSpec, load_run


def config(tmp_path, tree):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(tree) if not isinstance(tree, str) else tree)
    return path


def test_absent_keys_take_their_defaults(tmp_path):
    run = load_run(str(config(tmp_path, {"name": "x", "optim": {"lr": 0.5}})))
    assert (run.name, run.optim.lr, run.model) == ("x", 0.5, RunSpec().model)


def test_overrides_reach_any_depth_and_any_type(tmp_path):
    run = load_run(
        config(tmp_path, {}), ["optim.steps=7", "model.levels=[0,1]", "model.norm=sigmoid", "data.augment.turns=false"]
    )
    assert (run.optim.steps, run.model.levels, run.model.norm, run.data.augment) == (
        7,
        (0, 1),
        "sigmoid",
        AugmentSpec(turns=False),
    )


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"learning_rate": 1}, "unknown key learning_rate; known are name, model"),
        ({"optim": {"momentum": 1}}, "optim: unknown key momentum"),
        ({"optim": {"steps": "many"}}, "optim.steps"),
        ({"optim": {"lr": -1}}, "optim.lr is -1"),
        ({"optim": {"batch": 1}}, "at least 2 pairs"),
        ({"optim": {"precision": "int8"}}, "precision is 'int8'; give one of auto, bfloat16, float16, float32"),
        ({"optim": {"ema": 1}}, r"optim\.ema is 1"),
        ({"optim": {"semi_positives": "mask"}}, r"optim\.semi_positives is 'mask'; give one of spare, soft"),
        ({"optim": {"semi_positive_weight": 2}}, r"optim\.semi_positive_weight is 2"),
        ({"optim": {"clip_value": -1}}, r"optim\.clip_value is -1"),
        ({"optim": {"chunk": -1}}, r"optim\.chunk is -1"),
        ({"data": {"workers": -1}}, "data.workers is -1"),
        ({"data": {"augment": True}}, "data.augment holds True where an object"),
        ({"data": {"augment": {"blur": 2}}}, r"data\.augment\.blur is 2"),
        ({"data": {"augment": {"fov_deg": [90, 70]}}}, r"fov_deg is \(90\.0, 70\.0\)"),
        ({"data": {"augment": {"fov_deg": [90]}}}, r"data\.augment\.fov_deg is \[90\]; give two rising angles"),
        ({"data": {"augment": {"heading_jitter_deg": 200}}}, "heading_jitter_deg is 200"),
        ({"optim": 5}, "where an object"),
        ({"pretrained": True}, r'run\.json: pretrained is true; say from where: "timm", .*, or false$'),
        ("[1]", "holds a list"),
        ("{", "is not JSON"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(tmp_path, tree, reason):
    with pytest.raises(BadConfig, match=reason):
        load_run(config(tmp_path, tree))


@pytest.mark.parametrize(
    ("override", "reason"), [("optim.lr", "has no value"), ("name.x=1", "is a value, not a section")]
)
def test_a_wrong_override_says_how_to_write_it(tmp_path, override, reason):
    with pytest.raises(BadConfig, match=reason):
        load_run(config(tmp_path, {"name": "x"}), [override])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadConfig, match=r"nothing\.json"):
        load_run(tmp_path / "nothing.json")

"""The recipes in configs/ say what they claim to say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.data.samplers import SamplerSpec
from model.network.import_sample4geo import SAMPLE4GEO_BACKBONE, SAMPLE4GEO_GROUND_PX, sample4geo_inputs
from model.training.config import load_run

ROOT = Path(__file__).parents[3]
PAIRS = {"cvusa": 35_532, "cvact": 35_532, "vigor-same": 52_609, "vigor-cross": 51_520, "university": 37_854}
every_benchmark = pytest.mark.parametrize("benchmark", SAMPLE4GEO_GROUND_PX)


def recipe(network, benchmark):
    return load_run(ROOT / "configs" / f"{network}-{benchmark}.json")


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.json")), ids=lambda path: path.stem)
def test_every_configuration_loads_and_calls_itself_by_its_files_name(path):
    assert load_run(path).name == path.stem


@every_benchmark
def test_the_baseline_is_the_network_that_was_published(benchmark):
    run = recipe("sample4geo", benchmark)
    assert run.inputs == sample4geo_inputs(benchmark)
    assert (run.model.backbone, run.pretrained) == (SAMPLE4GEO_BACKBONE, "timm")
    assert (run.model.levels, run.model.dim, run.model.share_weights) == ((3,), 0, True)
    assert (run.model.ncm, run.model.nec, run.model.gfr) == (False, False, False)


@every_benchmark
def test_steps_are_the_whole_batches_of_the_published_epochs(benchmark):
    optim, batches = recipe("sample4geo", benchmark).optim, PAIRS[benchmark] // 128
    epochs, warmup_epochs = (1, 0.1) if benchmark == "university" else (40, 1)
    assert (optim.steps, optim.warmup_steps, optim.batch) == (epochs * batches, int(warmup_epochs * batches), 128)
    assert (optim.lr, optim.weight_decay, optim.label_smoothing) == (1e-3, 0.01, 0.1)
    assert (optim.optimizer, optim.decay_everything, optim.bounded_temperature) == ("adamw", True, False)
    assert (optim.clip_norm, optim.clip_value, optim.keep_best) == (0, 100, True)
    assert optim.eval_every == (batches if benchmark == "university" else 4 * batches)
    assert optim.precision == "float16"
    assert optim.seed == (1 if benchmark == "university" else 42)


@every_benchmark
def test_batches_are_drawn_by_the_published_rule(benchmark):
    data = recipe("sample4geo", benchmark).data
    both = SamplerSpec("both", neighbours=64, drawn=32, candidates=128, first_epoch=4, every_epochs=4)
    assert data.sampler == (SamplerSpec() if benchmark == "university" else both)


@pytest.mark.parametrize("benchmark", ["vigor-same", "vigor-cross"])
def test_semi_positives_are_negatives_as_in_the_published_code(benchmark):
    optim = recipe("sample4geo", benchmark).optim
    assert (optim.semi_positives, optim.semi_positive_weight) == ("soft", 0)


@every_benchmark
def test_pictures_change_as_often_as_in_the_published_code(benchmark):
    augment = recipe("sample4geo", benchmark).data.augment
    assert (augment.jpeg, augment.shift_colours, augment.colour, augment.mirror) == (0.5, 0.5, 0, True)
    assert augment.blur + augment.sharpen == augment.grid + augment.holes == 0.3
    assert (augment.turns, augment.tile_turns) == ((False, True) if benchmark == "university" else (True, False))


@every_benchmark
def test_clnet_differs_from_the_baseline_in_the_network_alone(benchmark):
    baseline, clnet = recipe("sample4geo", benchmark), recipe("clnet", benchmark)
    assert replace(baseline, name=clnet.name, model=clnet.model) == clnet
    assert clnet.model.ncm
    assert clnet.model.nec
    assert clnet.model.gfr


@every_benchmark
@pytest.mark.parametrize("network", ["sample4geo", "clnet"])
def test_every_recipe_is_in_the_guide(network, benchmark):
    assert f"`{network}-{benchmark}`" in (ROOT / "docs" / "reproduce.md").read_text()


def test_a_drone_has_no_columns_that_turn_with_the_tile():
    assert not recipe("sample4geo", "university").data.augment.turns
    assert json.loads((ROOT / "configs" / "clnet-university.json").read_text())["data"]["augment"]["mirror"]

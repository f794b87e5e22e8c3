import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.amp import GradScaler

from model.common.errors import BadCheckpoint, BadConfig, BadDataset
from model.data.augment_spec import AugmentSpec
from model.data.hard_negatives import nearest_places
from model.data.manifest import read_manifest
from model.data.samplers import SamplerSpec
from model.network.checkpoints import load_bundle
from model.training.checkpoint import load_order, load_scaler, load_state, newest_state, save_state
from model.training.config import OptimSpec, RunSpec, load_run
from model.training.grad_cache import find_gradients
from model.training.loss import MAX_LOGIT_SCALE
from model.training.run_log import RunLog, read_log
from model.training.trainer import Trainer, train
from tests.model.tiny import INPUTS, tiny_run, write_pairs

ROOT = Path(__file__).parents[3]
SCRIPT = """
import os, signal, sys
from pathlib import Path
from model.data.manifest import read_manifest
from model.data.hard_negatives import nearest_places
from model.training.run_log import RunLog
from model.training.trainer import train
from tests.model.tiny import tiny_run
note = RunLog.step
def note_and_die(log, step, **values):
    note(log, step, **values)
    if step == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
RunLog.step = note_and_die
pairs = read_manifest(Path(sys.argv[1]))
train(tiny_run(steps=int(sys.argv[3])), pairs, pairs, Path(sys.argv[2]), device="cpu")
"""


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "data").mkdir()
    return read_manifest(write_pairs(tmp_path / "data"))


def weights(bundle: Path):
    return load_bundle(bundle).net.state_dict()


def differing_at_the_end(one: Path, other: Path) -> list[str]:
    """What two runs' last states do not have the same to the bit: float32 weights, moments, averages.

    Bundles would not tell: they keep weights in float16.
    """
    a, b = (load_file(newest_state(out)) for out in (one, other))
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def test_a_run_leaves_its_configuration_log_curves_state_and_bundle(tmp_path, pairs):
    bundle = train(tiny_run(), pairs, pairs, str(tmp_path / "run"), device="cpu")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {
        "run.json",
        "data.json",
        "log.csv",
        "curves.png",
        "bundle",
        "state-00000006.safetensors",
        "tensorboard",
    } <= names
    assert [row["step"] for row in read_log(tmp_path / "run" / "log.csv") if row["loss"]] == [
        str(n) for n in range(1, 7)
    ]
    assert load_bundle(bundle).metrics["validation"]["gallery"] == 10
    assert load_bundle(bundle).provenance["steps"] == 6


def test_the_log_tells_the_pace_of_every_step(tmp_path, pairs):
    train(demanding_run(), pairs, pairs, tmp_path / "run", device="cpu")
    rows = [row for row in read_log(tmp_path / "run" / "log.csv") if row["loss"]]
    assert len(rows) == 8
    assert all(float(row["pairs_per_s"]) > 0 for row in rows)


def test_training_lowers_the_loss(tmp_path, pairs):
    train(tiny_run(steps=60, lr=3e-3, save_every=60, eval_every=60), pairs, pairs, tmp_path / "run", device="cpu")
    losses = [float(row["loss"]) for row in read_log(tmp_path / "run" / "log.csv") if row["loss"]]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


@pytest.mark.parametrize("after", [1, 5, 6])  # before the first state; between states; between log and state
def test_a_killed_run_resumes_to_the_same_weights_bit_for_bit(tmp_path, pairs, after):
    steps = 8
    train(tiny_run(steps=steps), pairs, pairs, tmp_path / "whole", device="cpu")
    broken = tmp_path / "broken"
    _run_and_kill(tmp_path / "data" / "pairs.csv", broken, steps, after)
    train(tiny_run(steps=steps), pairs, pairs, broken, device="cpu")
    assert not differing_at_the_end(tmp_path / "whole", broken)
    assert [row["step"] for row in read_log(broken / "log.csv") if row["loss"]] == [str(n) for n in range(1, steps + 1)]


def _run_and_kill(manifest: Path, out: Path, steps: int, after: int) -> None:
    """Run in a process of its own that is killed as soon as a step stands in its log."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(manifest), str(out), str(steps), str(after)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL


ROOMY = replace(INPUTS, satellite_px=64, ground_height_px=64, ground_width_px=128)


def demanding_run(sampler: SamplerSpec = SamplerSpec()) -> RunSpec:  # noqa: B008 - frozen
    """Every option at once: unrolled tiles, averaged weights, Muon, bfloat16, all augmentations."""
    run = tiny_run(steps=8, ema=0.9, precision="bfloat16", optimizer="muon", chunk=3)
    augment = AugmentSpec(blur=0.5, erase=0.5, shift=1, fov_share=0.5, heading_jitter_deg=20)
    data = replace(run.data, augment=augment, sampler=sampler)
    return replace(run, inputs=replace(ROOMY, polar=True), data=data)


@pytest.mark.parametrize("kind", ["geographic", "similarity"])
@pytest.mark.parametrize("after", [3, 5, 7])  # between states and at one
def test_with_every_option_a_stopped_run_resumes_bit_for_bit(tmp_path, pairs, monkeypatch, after, kind):
    run = demanding_run(SamplerSpec(kind, neighbours=2, every_epochs=2))
    train(run, pairs, pairs, tmp_path / "whole", device="cpu")
    train_until(after, run, pairs, tmp_path / "broken", monkeypatch)
    train(run, pairs, pairs, tmp_path / "broken", device="cpu")
    assert not differing_at_the_end(tmp_path / "whole", tmp_path / "broken")


def train_until(last: int, run: RunSpec, pairs, out: Path, monkeypatch) -> None:
    """Stop a run as soon as a step stands in its log."""
    note = RunLog.step

    def note_and_stop(log, step, **values):
        note(log, step, **values)
        if step == last:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "step", note_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(run, pairs, pairs, out, device="cpu")


def test_similar_tiles_are_sought_again_every_few_epochs_and_kept_with_the_state(tmp_path, pairs, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "model.training.trainer.save_state",
        lambda *parts, **more: seen.append((parts[1], parts[-1])) or save_state(*parts, **more),
    )
    run = tiny_run(steps=12, save_every=1)
    run = replace(run, data=replace(run.data, sampler=SamplerSpec("similarity", neighbours=2, every_epochs=2)))
    train(run, pairs, pairs, tmp_path / "run", device="cpu")
    orders = {order.epoch: order for _, order in seen}  # 8 pairs in batches of 4: two steps an epoch
    assert {epoch: (order.step, order.epochs) for epoch, order in orders.items()} == {
        0: (0, 1),
        1: (2, 2),
        3: (6, 2),
        5: (10, 2),
    }
    assert [order.table is None for order in orders.values()] == [True, False, False, False]
    kept = load_order(newest_state(tmp_path / "run"))
    assert np.array_equal(kept.table, orders[5].table)


@pytest.mark.parametrize("after", [3, 19])  # before anything has moved, and between states
def test_in_float16_a_stopped_run_resumes_bit_for_bit_with_its_scale(tmp_path, pairs, monkeypatch, after):
    monkeypatch.setattr("model.training.precision._FIRST_SCALE", 2.0**24)  # so that the first steps are passed over
    run = tiny_run(steps=20, precision="float16", clip_norm=0, clip_value=100, chunk=3, eval_every=20)
    train(run, pairs, pairs, tmp_path / "whole", device="cpu")
    train_until(after, run, pairs, tmp_path / "broken", monkeypatch)
    train(run, pairs, pairs, tmp_path / "broken", device="cpu")
    assert not differing_at_the_end(tmp_path / "whole", tmp_path / "broken")
    scales = [scale_in(tmp_path / name) for name in ("whole", "broken")]
    assert scales[0] == scales[1] < 2.0**24


def scale_in(out: Path) -> float:
    scaler = GradScaler("cpu")
    load_scaler(newest_state(out), scaler)
    return scaler.get_scale()


def test_in_float16_a_step_that_overflows_is_passed_over_and_the_scale_halved(monkeypatch):
    trainer = Trainer(tiny_run(precision="float16"), device=torch.device("cpu"))
    trainer.scaler = GradScaler("cpu", init_scale=2.0**100)
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    assert math.isfinite(trainer.advance(*random_batch()))
    assert all(torch.equal(value, before[name]) for name, value in trainer.net.state_dict().items())
    assert (trainer.step, trainer.scaler.get_scale()) == (1, 2.0**99)
    monkeypatch.setattr("model.training.precision._LEAST_SCALE", 2.0**99)
    with pytest.raises(BadConfig, match=r"overflow at step 1 however little .* bfloat16 or float32"):
        trainer.advance(*random_batch())


def random_batch(seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    sizes = INPUTS.ground_size_px, INPUTS.satellite_size_px
    return [torch.randint(0, 256, (4, *size[::-1], 3), generator=random, dtype=torch.uint8) for size in sizes]


def test_gradients_may_be_clipped_by_value():
    trainer = Trainer(tiny_run(clip_norm=0, clip_value=1e-4), device=torch.device("cpu"))
    trainer.advance(*random_batch())
    largest = max(value.grad.abs().max() for value in trainer.net.parameters())
    assert largest == pytest.approx(1e-4)


@pytest.mark.parametrize(("weight", "same"), [(0.0, True), (0.5, False)])
def test_tiles_that_cover_a_query_too_may_be_partly_right(tmp_path, pairs, weight, same):
    """With a weight of 0 they are negatives, as where nobody knows that they are semi-positives."""
    everyone = tuple(tuple(tile for tile in range(8) if tile != row) for row in range(8))
    known = replace(pairs, semi_positives=everyone)  # spared, not one batch could be filled
    losses = []
    for part, options in ((known, {"semi_positives": "soft", "semi_positive_weight": weight}), (pairs, {})):
        out = tmp_path / str(len(losses))
        train(tiny_run(**options), part, pairs, out, device="cpu")
        losses.append([float(row["loss"]) for row in read_log(out / "log.csv") if row["loss"]])
    assert (losses[0] == pytest.approx(losses[1], abs=1e-3)) == same


def test_near_places_come_first_and_similar_tiles_later_where_both_are_asked_for(tmp_path, pairs, monkeypatch):
    orders = {}
    monkeypatch.setattr(
        "model.training.trainer.save_state",
        lambda *parts, **more: orders.setdefault(parts[-1].epoch, parts[-1]) and save_state(*parts, **more),
    )
    run = tiny_run(steps=12, save_every=1)
    sampler = SamplerSpec("both", neighbours=2, candidates=4, first_epoch=2, every_epochs=2)
    train(replace(run, data=replace(run.data, sampler=sampler)), pairs, pairs, tmp_path / "run", device="cpu")
    assert {epoch: (order.step, order.epochs) for epoch, order in orders.items()} == {0: (0, 2), 2: (4, 2), 4: (8, 2)}
    assert np.array_equal(orders[0].table, nearest_places(pairs, 4))
    assert not np.array_equal(orders[2].table, orders[0].table)


def test_the_training_pass_is_compiled_and_changes_neither_names_nor_results(tmp_path, pairs, monkeypatch):
    plain = train(tiny_run(), pairs, pairs, tmp_path / "plain", device="cpu")
    passes = []

    def note(function):
        return lambda *parts: passes.append(function.__qualname__) or function(*parts)

    monkeypatch.setattr("torch.compile", note)
    run = tiny_run(compile=True, checkpointing=True)
    expected, found = (weights(one) for one in (plain, train(run, pairs, pairs, tmp_path / "run", device="cpu")))
    assert passes == ["CLNet.forward"] * 2 * run.optim.steps
    assert expected.keys() == found.keys()
    assert all(torch.allclose(expected[name], found[name], atol=1e-3) for name in expected)


@pytest.mark.slow
def test_a_compiled_pass_learns_what_a_plain_one_does(tmp_path, pairs):
    both = [
        train(tiny_run(compile=compiled), pairs, pairs, tmp_path / str(compiled), device="cpu")
        for compiled in (False, True)
    ]
    losses = [[float(row["loss"]) for row in read_log(one.parent / "log.csv") if row["loss"]] for one in both]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


def test_the_average_is_evaluated_and_published(tmp_path, pairs):
    run = tiny_run(ema=0.99)
    bundle = train(run, pairs, pairs, tmp_path / "run", device="cpu")
    trainer = Trainer(run, device=torch.device("cpu"))
    load_state(newest_state(tmp_path / "run"), trainer.net, trainer.optimizers, trainer.average)
    published = weights(bundle)["projection.weight"]
    assert torch.equal(published, trainer.average.projection.weight.half().float())
    assert not torch.equal(published, trainer.net.projection.weight.half().float())
    assert trainer.evaluate(pairs).as_json().items() <= load_bundle(bundle).metrics["validation"].items()


def test_the_best_weights_are_published_where_that_is_asked_for(tmp_path, pairs, monkeypatch):
    recalls, measure = iter((10.0, 60.0, 30.0)), Trainer.evaluate

    def pretend(trainer, val):
        result = measure(trainer, val)
        return replace(result, recall={**result.recall, "recall@1": next(recalls, 77.0)})

    monkeypatch.setattr(Trainer, "evaluate", pretend)
    run = tiny_run(eval_every=2, keep_best=True, ema=0.9)
    best = load_bundle(train(run, pairs, pairs, tmp_path / "run", device="cpu"))
    assert best.provenance["steps"] == 4
    assert best.metrics["validation"]["recall@1"] == 77.0  # measured again, on what is published
    monkeypatch.undo()
    last = load_bundle(train(replace(run, optim=replace(run.optim, keep_best=False)), pairs, pairs, tmp_path / "last"))
    assert not torch.equal(best.net.projection.weight, last.net.projection.weight)


def test_a_finished_run_is_not_run_again(tmp_path, pairs):
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    before = (tmp_path / "run" / "log.csv").read_text().splitlines()
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    assert [line for line in (tmp_path / "run" / "log.csv").read_text().splitlines() if line not in before] == []


def test_a_finished_run_decodes_no_pictures_again(tmp_path, pairs):
    run = replace(tiny_run(), data=replace(tiny_run().data, cache=True))
    train(run, pairs, pairs, tmp_path / "run", device="cpu")
    shutil.rmtree(tmp_path / "decoded")
    train(run, pairs, pairs, tmp_path / "run", device="cpu")
    assert not (tmp_path / "decoded").exists()


def test_a_changed_configuration_is_refused_and_shown(tmp_path, pairs):
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    with pytest.raises(BadConfig, match=r'"lr": 0\.001.*-> "lr": 0\.5'):
        train(tiny_run(lr=0.5), pairs, pairs, tmp_path / "run", device="cpu")


def test_a_run_that_is_older_than_an_option_goes_on_with_its_default(tmp_path, pairs):
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    path = tmp_path / "run" / "run.json"
    tree = json.loads(path.read_text())
    del tree["optim"]["chunk"], tree["data"]["sampler"]["drawn"]
    path.write_text(json.dumps(tree))
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    with pytest.raises(BadConfig, match=r'"chunk": 0 -> "chunk": 2'):
        train(tiny_run(chunk=2), pairs, pairs, tmp_path / "run", device="cpu")


def test_changed_data_are_refused_but_a_moved_folder_is_not(tmp_path, pairs):
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    (tmp_path / "data").rename(tmp_path / "moved")
    moved = read_manifest(tmp_path / "moved" / "pairs.csv")
    train(tiny_run(), moved, moved, tmp_path / "run", device="cpu")
    fewer = replace(moved, queries=moved.queries[:6], positives=moved.positives[:6])
    with pytest.raises(BadConfig, match=r'was started with other data \("pairs": 8 -> "pairs": 6.*the old pairs'):
        train(tiny_run(), fewer, moved, tmp_path / "run", device="cpu")


def test_pictures_decoded_before_give_the_same_weights(tmp_path, pairs):
    plain = train(tiny_run(), pairs, pairs, tmp_path / "plain", device="cpu")
    cached = replace(tiny_run(), data=replace(tiny_run().data, cache=True, workers=1))
    kept = train(cached, pairs, pairs, tmp_path / "kept", device="cpu")
    expected, found = weights(plain), weights(kept)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert len(list((tmp_path / "decoded").iterdir())) == 1


def test_fewer_pairs_than_a_batch_is_refused(tmp_path, pairs):
    with pytest.raises(BadDataset, match="fewer than one batch of 64"):
        train(tiny_run(batch=64), pairs, pairs, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_the_documented_command_for_pairs_of_ones_own_takes_a_set_of_one_batch():
    text = (ROOT / "docs" / "training.md").read_text().replace("\\\n", " ")
    (command,) = [line for line in text.splitlines() if "data.train=train.csv" in line and "model train" in line]
    words = shlex.split(command)
    config = ROOT / words[words.index("--config") + 1] if "--config" in words else None
    overrides = [value for option, value in pairwise(words) if option == "--set"]
    run = load_run(config, overrides)
    assert f"optim.batch={run.optim.batch}" in overrides


def test_fewer_tiles_than_a_batch_is_refused_instead_of_waiting_for_ever(tmp_path, pairs):
    crowded = replace(pairs, positives=pairs.positives % 3)
    with pytest.raises(BadDataset, match="8 pairs over 3 tiles, fewer than one batch of 4"):
        train(tiny_run(batch=4), crowded, crowded, tmp_path / "run", device="cpu")


def test_training_wants_pictures_that_ask_for_a_tile(tmp_path, pairs):
    for change in ({"query_view": "satellite", "reference_view": "ground"}, {"more_positives": ((1,), *((),) * 7)}):
        with pytest.raises(BadDataset, match="train on the other direction"):
            train(tiny_run(), replace(pairs, **change), pairs, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_a_damaged_state_is_named(tmp_path, pairs):
    train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")
    newest_state(tmp_path / "run").write_bytes(b"damaged")
    with pytest.raises(BadCheckpoint, match="remove it to start again"):
        train(tiny_run(), pairs, pairs, tmp_path / "run", device="cpu")


def test_anchors_need_pictures_that_show_more_than_the_tile(tmp_path, pairs):
    run = tiny_run()
    with pytest.raises(BadDataset, match=r"a margin of 0\.0; inputs\.anchors 2 asks"):
        train(replace(run, inputs=replace(run.inputs, anchors=2)), pairs, pairs, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_in_float16_all_optimizers_pass_over_a_step_in_which_one_gradient_is_no_number(monkeypatch):
    trainer = Trainer(tiny_run(precision="float16", optimizer="muon"), device=torch.device("cpu"))
    broken = trainer.optimizers[1].param_groups[0]["params"][0]

    def spoil(*parts, **more):
        value = find_gradients(*parts, **more)
        broken.grad[0] = math.nan
        return value

    monkeypatch.setattr("model.training.trainer.find_gradients", spoil)
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    scale = trainer.scaler.get_scale()
    trainer.advance(*random_batch())
    assert all(torch.equal(value, before[name]) for name, value in trainer.net.state_dict().items())
    assert trainer.scaler.get_scale() == scale / 2


@pytest.mark.parametrize(("bounded", "stays"), [(True, True), (False, False)])
def test_a_temperature_beyond_its_bound_comes_back(bounded, stays):
    trainer = Trainer(tiny_run(bounded_temperature=bounded, warmup_steps=0), device=torch.device("cpu"))
    trainer.net.logit_scale.data.fill_(9.0)
    trainer.advance(*random_batch())
    assert (trainer.net.logit_scale.item() <= MAX_LOGIT_SCALE + 1e-6) == stays
    if bounded:
        trainer.advance(*random_batch())
        assert trainer.net.logit_scale.grad.abs() > 0


def test_a_run_may_start_from_a_bundle_and_resumes_without_it(tmp_path, pairs):
    first = train(tiny_run(), pairs, pairs, tmp_path / "first", device="cpu")
    run = replace(tiny_run(lr=1e-9), pretrained=f"bundle:{first}")
    second = train(run, pairs, pairs, tmp_path / "second", device="cpu")
    for name, value in weights(second).items():
        assert torch.allclose(value, weights(first)[name], atol=1e-3), name
    shutil.rmtree(first)
    train(run, pairs, pairs, tmp_path / "second", device="cpu")
    with pytest.raises(BadCheckpoint, match="is no checkpoint bundle"):
        train(run, pairs, pairs, tmp_path / "third", device="cpu")


def test_what_is_published_may_keep_a_share_of_what_the_run_started_from(tmp_path, pairs):
    first = train(tiny_run(), pairs, pairs, tmp_path / "first", device="cpu")
    own = train(replace(tiny_run(), pretrained=f"bundle:{first}"), pairs, pairs, tmp_path / "own", device="cpu")
    run = replace(tiny_run(), optim=replace(tiny_run().optim, blend=0.5), pretrained=f"bundle:{first}")
    half = train(run, pairs, pairs, tmp_path / "half", device="cpu")
    for name, value in weights(half).items():
        assert torch.allclose(value, (weights(first)[name] + weights(own)[name]) / 2, atol=2e-3), name


def test_a_blend_needs_a_bundle():
    with pytest.raises(BadConfig, match=r"optim\.blend is 0\.5 and pretrained False"):
        tiny_run(blend=0.5)
    with pytest.raises(BadConfig, match=r"optim\.blend is 1"):
        OptimSpec(blend=1.0)


def stop_after(steps):
    """`RunLog.step`, interrupted after so many."""
    note = RunLog.step

    def note_and_stop(log, step, **values):
        note(log, step, **values)
        if step == steps:
            raise KeyboardInterrupt

    return note_and_stop


def test_replayed_pairs_share_each_batch_and_a_resumed_run_is_the_same(tmp_path, monkeypatch):
    for name, count in (("city", 6), ("world", 9)):
        (tmp_path / name).mkdir()
        write_pairs(tmp_path / name, count)
    city, world = (read_manifest(tmp_path / name / "pairs.csv") for name in ("city", "world"))
    run = tiny_run(steps=8, batch=4)
    run = replace(run, data=replace(run.data, replay="w", replay_share=0.5))
    whole = train(run, city, city, tmp_path / "whole", replay=world, device="cpu")
    alone = train(tiny_run(steps=8, batch=4), city, city, tmp_path / "alone", device="cpu")
    assert any((weights(whole)[name] != weights(alone)[name]).any() for name in weights(whole))
    monkeypatch.setattr(RunLog, "step", stop_after(5))
    with pytest.raises(KeyboardInterrupt):
        train(run, city, city, tmp_path / "cut", replay=world, device="cpu")
    monkeypatch.undo()
    resumed = train(run, city, city, tmp_path / "cut", replay=world, device="cpu")
    assert all(torch.equal(weights(whole)[name], weights(resumed)[name]) for name in weights(whole))
    with pytest.raises(BadConfig, match="was started with other data"):
        train(run, city, city, tmp_path / "cut", replay=city, device="cpu")


def changed_on(where, *, steps=4):
    """A run of all that a device can change, by the workers or by the device."""
    run = tiny_run(steps=steps)
    changes = AugmentSpec(colour=0, shift=1, fov_share=0.5, heading_jitter_deg=9, recolour=0.5, grey=0.2, turned=1)
    data = replace(run.data, cache=True, augment=changes, augment_on=where, replay="w", replay_share=0.5)
    return replace(run, data=data)


def test_a_device_that_changes_the_pictures_learns_what_it_learns_from_the_workers(tmp_path):
    for name in ("city", "world"):
        (tmp_path / name).mkdir()
    city, world = (read_manifest(write_pairs(tmp_path / name)) for name in ("city", "world"))
    losses = []
    for where in ("workers", "device"):
        train(changed_on(where), city, city, tmp_path / where, replay=world, device="cpu")
        losses.append([float(row["loss"]) for row in read_log(tmp_path / where / "log.csv") if row["loss"]])
    assert losses[1] == pytest.approx(losses[0], abs=0.02)


def test_a_run_that_is_changed_on_the_device_resumes_to_the_bit(tmp_path, pairs, monkeypatch):
    cut = changed_on("device", steps=6)
    train(cut, pairs, pairs, tmp_path / "whole", replay=pairs, device="cpu")
    monkeypatch.setattr(RunLog, "step", stop_after(4))
    with pytest.raises(KeyboardInterrupt):
        train(cut, pairs, pairs, tmp_path / "cut", replay=pairs, device="cpu")
    monkeypatch.undo()
    train(cut, pairs, pairs, tmp_path / "cut", replay=pairs, device="cpu")
    assert not differing_at_the_end(tmp_path / "whole", tmp_path / "cut")


def test_more_replayed_pairs_than_there_are_is_refused(tmp_path, pairs):
    run = tiny_run(batch=8)
    run = replace(run, data=replace(run.data, replay="w", replay_share=0.9))
    few = replace(pairs, queries=pairs.queries[:3], positives=pairs.positives[:3])
    with pytest.raises(BadDataset, match="3 pairs over 3 tiles, fewer than one batch of 7"):
        train(run, pairs, pairs, tmp_path / "run", replay=few, device="cpu")


def test_frozen_levels_do_not_move_and_the_run_can_be_saved(tmp_path, pairs):
    run = tiny_run(frozen_levels=1)
    before = {name: value.clone() for name, value in Trainer(run, device=torch.device("cpu")).net.state_dict().items()}
    after = weights(train(run, pairs, pairs, tmp_path / "run", device="cpu"))
    stem = [name for name in before if ".stem." in name]
    assert stem
    assert all(torch.equal(after[name], before[name].half().float()) for name in stem)
    assert not torch.equal(after["projection.weight"], before["projection.weight"].half().float())


def test_patience_asks_for_the_best_weights_to_be_kept():
    with pytest.raises(BadConfig, match=r"optim.patience is 3 without optim.keep_best"):
        OptimSpec(patience=3)

"""A device makes of the same draws what the workers make, within the rounding of a grey level."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.common.errors import BadConfig
from model.data.augment import augment_pair, wide_inputs
from model.data.augment_spec import AugmentSpec
from model.data.image_cache import DecodedPictures
from model.data.loaders import TrainingDraws, training_loader
from model.inputs.transforms import NEUTRAL, InputSpec
from model.training.changed_on_device import DevicePictures, JoinedOnDevice
from model.training.config import DataSpec

INPUTS = InputSpec(satellite_px=48, ground_height_px=32, ground_width_px=128, ground_vertical_deg=40.0, anchors=4)
PLAIN = AugmentSpec(turns=False, mirror=False, colour=0)
PAIRS = 12


def smooth(random, *shape):
    """Pictures of waves: what they show changes slowly, so that half a pixel is a small difference."""
    count, height, width = shape
    down, right = np.mgrid[0:height, 0:width]
    waves = [
        127 + 120 * np.sin(2 * np.pi * (a * down / height + b * right / width) + c)
        for a, b, c in zip(
            random.uniform(0.5, 2, 3 * count),
            random.integers(1, 4, 3 * count),
            random.uniform(0, 6, 3 * count),
            strict=True,
        )
    ]
    return np.stack(waves).reshape(count, 3, height, width).transpose(0, 2, 3, 1).astype(np.uint8)


def decoded(folder, spec, sides_px, seed=0):
    """Pictures of waves as a data set decodes them; tiles of the given sides stand in the corners of larger ones."""
    random = np.random.default_rng(seed)
    rows = wide_inputs(INPUTS, spec).ground_height_px
    tiles = np.zeros((len(sides_px), max(sides_px), max(sides_px), 3), np.uint8)
    for tile, side in zip(tiles, sides_px, strict=True):
        tile[:side, :side] = smooth(random, 1, side, side)[0]
    folder.mkdir()
    np.save(folder / "tiles.npy", tiles)
    np.save(folder / "ground.npy", smooth(random, len(sides_px), rows, INPUTS.ground_width_px))
    return DecodedPictures(folder, tuple(sides_px))


def on_workers(pictures, rows, spec, seed, draws):
    made = [
        augment_pair(pictures.query(row), pictures.reference(row), INPUTS, spec, np.random.default_rng((seed, draw)))
        for row, draw in zip(rows, draws, strict=True)
    ]
    return np.concatenate([ground for ground, _ in made]), np.stack([tile for _, tile in made])


def batch_of(sides_px, spec, draws, workers=0):
    rows = wide_inputs(INPUTS, spec).ground_height_px
    dataset = TrainingDraws(sides_px, np.arange(len(sides_px)), INPUTS, rows=rows, seed=5, augment=spec)
    return next(iter(training_loader(dataset, iter([draws]), workers=workers)))


def apart(one, other):
    return np.abs(one.astype(int) - other.numpy().astype(int))


SPECS = {
    "nothing": PLAIN,
    "turns": replace(PLAIN, turns=True),
    "turns of tiles, too": replace(PLAIN, turns=True, tile_turns=True, mirror=True),
    "mirrored": replace(PLAIN, mirror=True),
    "shifted": replace(PLAIN, shift=1.0),
    "other ground": replace(PLAIN, shift=1.0, ground=(0.6, 1.9)),
    "heading": replace(PLAIN, heading_jitter_deg=20.0),
    "horizon": replace(PLAIN, horizon_deg=8.0),
    "views": replace(PLAIN, fov_share=0.7, fov_deg=(30, 200)),
    "turned": replace(PLAIN, turned=2, fov_share=0.5),
    "colours": replace(PLAIN, recolour=0.7),
    "greys": replace(PLAIN, grey=0.5, recolour=0.3),
    "everything": replace(
        PLAIN,
        turns=True,
        mirror=True,
        shift=1.0,
        ground=(0.7, 1.9),
        heading_jitter_deg=5.0,
        horizon_deg=8.0,
        fov_share=0.5,
        fov_deg=(70, 180),
        turned=1,
        recolour=0.7,
        grey=0.1,
    ),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_device_makes_what_the_workers_make(tmp_path, spec):
    sides_px = [96, 72, 96, 73, *[96] * (PAIRS - 4)]
    pictures = decoded(tmp_path / "decoded", spec, sides_px)
    draws = [*range(PAIRS), *range(5 * PAIRS, 6 * PAIRS)]  # of two epochs
    rows = [draw % PAIRS for draw in draws]
    ground, tiles = on_workers(pictures, rows, spec, 5, draws)
    device = DevicePictures(pictures, INPUTS, torch.device("cpu"))
    same_ground, same_tiles = device.changed(*batch_of(sides_px, spec, draws))
    assert same_ground.shape == ground.shape
    assert same_tiles.shape == tiles.shape
    assert same_ground.dtype == same_tiles.dtype == torch.uint8
    assert apart(ground, same_ground).max() <= 1
    off = apart(tiles, same_tiles)
    assert off.max() <= 12  # a level before a steep tone curve is several behind it
    assert (off > 2).mean() < 0.005
    assert ((tiles == NEUTRAL).all(axis=3) == (same_tiles.numpy() == NEUTRAL).all(axis=3)).mean() > 0.999


def test_the_pairs_that_are_replayed_come_from_their_own_pictures(tmp_path):
    spec = SPECS["everything"]
    parts = [
        decoded(tmp_path / name, spec, [side] * PAIRS, seed)
        for seed, (name, side) in enumerate({"a": 96, "b": 72}.items())
    ]
    devices = [DevicePictures(part, INPUTS, torch.device("cpu")) for part in parts]
    draws = [3, 7, PAIRS + 2, 2 * PAIRS - 1]
    queries, references, change = batch_of([96] * PAIRS + [72] * PAIRS, spec, draws)
    ground, tiles = JoinedOnDevice(devices).changed(queries, references, change)
    expected = [
        augment_pair(
            parts[draw // PAIRS].query(draw % PAIRS),
            parts[draw // PAIRS].reference(draw % PAIRS),
            INPUTS,
            spec,
            np.random.default_rng((5, draw)),
        )
        for draw in draws
    ]
    assert apart(np.concatenate([pair[0] for pair in expected]), ground).max() <= 1
    assert (apart(np.stack([pair[1] for pair in expected]), tiles) > 2).mean() < 0.005
    with pytest.raises(AssertionError):
        assert apart(np.concatenate([pair[0] for pair in expected]), ground.flip(0)).max() <= 1


def test_worker_processes_draw_what_one_process_draws():
    spec = SPECS["everything"]
    alone, other = (batch_of([96] * PAIRS, spec, [1, 5, 9], workers) for workers in (0, 1))
    assert torch.equal(alone[0], other[0])
    assert torch.equal(alone[2].place.box, other[2].place.box)
    assert torch.equal(alone[2].ground_look.mixture, other[2].ground_look.mixture)


def test_a_device_is_not_asked_for_what_it_cannot_do():
    with pytest.raises(
        BadConfig, match=r'data\.augment_on is "device", which cannot do data\.augment\.colour \(1\.0\)'
    ):
        DataSpec(cache=True, augment_on="device")
    with pytest.raises(BadConfig, match=r"with data\.cache off"):
        DataSpec(augment_on="device", augment=PLAIN)
    assert DataSpec(cache=True, augment_on="device", augment=PLAIN).augment_on == "device"

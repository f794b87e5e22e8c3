import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import bench_real
from benchmarks.bench_real import HEADINGS, RealScores, interval, measure, score_real
from benchmarks.real_pairs import find_pairs, find_tiles, read_canvas, read_tile
from model.common.errors import BadDataset
from model.inputs.transforms import NEUTRAL, InputSpec
from model.network.checkpoints import save_bundle
from model.network.encoder import Encoder
from tests.model.tiny import tiny_net

SPEC = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=90.0)


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for side, size in (("street", (128, 48)), ("satellite", (64, 64)), ("more", (64, 64))):
        (tmp_path / side).mkdir()
        for number in range(3):
            pixels = random.integers(0, 256, (*size[::-1], 3), np.uint8)
            name = f"{number}.tif" if side == "more" else f"{number}.jpg"
            Image.fromarray(pixels).save(tmp_path / side / name)
    return tmp_path


def test_pairs_are_found_by_name_and_a_picture_without_partner_is_named(folder):
    assert [pair.name for pair in find_pairs(folder)] == ["0", "1", "2"]
    (folder / "satellite" / "1.jpg").unlink()
    with pytest.raises(BadDataset, match=r"no partner for 1 \(1 in all"):
        find_pairs(folder)


def test_missing_and_empty_folders_are_told(folder):
    with pytest.raises(BadDataset, match=r"no folder .*street"):
        find_pairs(folder / "more")
    with pytest.raises(BadDataset, match="no picture that matches 'x"):
        find_tiles(folder / "more", "x*")
    assert len(find_tiles(folder / "more", "[01]*")) == 2


def test_a_horizon_below_the_middle_is_moved_up_to_it(tmp_path):
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[40] = 255  # 8 rows of 2.8 degrees below the middle row
    Image.fromarray(pixels).save(tmp_path / "a.png")
    rows = [read_canvas(tmp_path / "a.png", SPEC, horizon_deg=deg)[..., 0].mean(axis=1).argmax() for deg in (0, 22.5)]
    assert rows[1] in (15, 16)
    assert rows[0] in (23, 24)
    assert read_canvas(tmp_path / "a.png", SPEC)[0].max() != NEUTRAL


def test_the_middle_of_a_tile_is_cut_out(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[8:56, 8:56] = 200
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    assert (read_tile(tmp_path / "a.tif", SPEC, middle=0.75)[1:-1, 1:-1] == 200).all()
    assert (read_tile(tmp_path / "a.tif", SPEC) == 0).any()


def test_ties_count_against_the_truth():
    same = measure(RealScores(np.zeros((4, 6), np.float32), np.zeros((4, HEADINGS), np.float32)))
    assert same["gallery of 6"]["recall@5"][0] == 0
    assert same["heading"][f"true first of {HEADINGS}"] == [0.0, 0.0, 0.0]
    right = np.eye(4, 6, dtype=np.float32)
    headings = np.eye(1, HEADINGS, dtype=np.float32).repeat(4, axis=0)
    best = measure(RealScores(right, headings))
    assert best["gallery of 4"]["recall@1"] == best["heading"]["true first of 16"] == [100.0, 100.0, 100.0]
    assert best["gallery of 6"]["ranks"] == [1, 1, 1, 1]


def test_an_interval_holds_its_statistic_and_narrows_with_more_pairs():
    few, many = (interval(np.tile([0.0, 100.0], count), np.mean) for count in (10, 200))
    assert few[1] < few[0] == many[0] == 50.0 < few[2]
    assert many[2] - many[1] < 0.4 * (few[2] - few[1])


def test_the_true_heading_is_the_first_of_those_tried(folder, tmp_path):
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={}, metrics={})
    encoder = Encoder.load(tmp_path / "b", device="cpu", precision="float32")
    scores = score_real(encoder, find_pairs(folder), find_tiles(folder / "more"), middle=0.75)
    assert scores.gallery.shape == (3, 6)
    assert scores.headings.shape == (3, HEADINGS)
    assert np.allclose(scores.headings[:, 0], np.diag(scores.gallery), atol=1e-5)
    assert np.ptp(scores.headings, axis=1).min() > 0


def test_the_command_prints_a_table_draws_a_sheet_and_tells_what_is_wrong(folder, tmp_path, monkeypatch, capsys):
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={}, metrics={})
    monkeypatch.setattr("benchmarks.record.RESULTS", tmp_path)
    options = ["--checkpoint", str(tmp_path / "b"), "--distractors", str(folder / "more"), "--name", "out"]
    sheet = ["--sheet", str(tmp_path / "sheet.png")]
    monkeypatch.setattr(sys, "argv", ["bench_real", "--data", str(folder), *options, *sheet])
    assert bench_real.main() == 0
    assert "gallery of 6" in capsys.readouterr().out
    assert (tmp_path / "out.json").is_file()
    with Image.open(tmp_path / "sheet.png") as drawn:
        assert drawn.height == 3 * 168
    (folder / "street" / "2.jpg").unlink()
    assert bench_real.main() == 1
    assert "no partner for 2" in capsys.readouterr().err

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadDataset, OutputExists
from model.common.geo import great_circle_m
from model.data.manifest import read_manifest
from model.synthetic.appearance import Difficulty
from model.synthetic.cameras import area_window, cells, free_spot
from model.synthetic.country import ABROAD
from model.synthetic.ground import Material, Window
from model.synthetic.pair_set import Eras, ensure_split, render_split
from model.synthetic.plane import plane_of
from model.synthetic.splits import SPLITS, TILE_M, Split, find_split

SMALL = Split("small", (301, 302), 6, 1, spacing_m=75.0, area_m=225.0)
GRID = Split("grid", (303,), 2, 1, spacing_m=50.0, area_m=200.0, query_every=5)


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()
    }


def quiet(done, total):
    assert done <= total


def test_a_split_is_the_same_whatever_the_number_of_workers_and_reads_as_a_data_set(tmp_path):
    for workers in (1, 2):
        render_split(SMALL, tmp_path / str(workers), workers=workers, progress=quiet)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    pairs = read_manifest(tmp_path / "1" / "pairs.csv")
    assert len(pairs.queries) == len(pairs.references) == 6
    offsets = [great_circle_m(q.location, r.location) for q, r in zip(pairs.queries, pairs.references, strict=True)]
    assert 0 < max(offsets) <= 36.0
    assert json.loads((tmp_path / "1" / "world.json").read_text())["synthetic"] is True


def test_a_rendered_split_is_reused_and_never_overwritten(tmp_path):
    first = ensure_split(SMALL, tmp_path, workers=1, progress=quiet)
    stamp = first.stat().st_mtime_ns
    assert ensure_split(SMALL, tmp_path, workers=1, progress=quiet).stat().st_mtime_ns == stamp
    with pytest.raises(OutputExists):
        render_split(SMALL, first, workers=1, progress=quiet)


def test_another_difficulty_is_another_cache_entry(tmp_path):
    a = ensure_split(SMALL, tmp_path, workers=1, progress=quiet)
    b = ensure_split(replace(SMALL, difficulty=Difficulty(light=0.0)), tmp_path, workers=1, progress=quiet)
    assert a != b


def test_too_few_free_places_is_an_error_that_leaves_nothing(tmp_path):
    with pytest.raises(BadDataset, match="free places of 500"):
        render_split(replace(SMALL, places=500), tmp_path / "out", workers=1, progress=lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_the_centre_version_has_the_same_cameras_and_looks_and_its_tiles_centred_on_them(tmp_path):
    folder = ensure_split(replace(SMALL, centred_too=True), tmp_path, workers=1, progress=quiet)
    found = [read_manifest(folder / name) for name in ("pairs.csv", "centred.csv")]
    for off, on in zip(found[0].queries, found[1].queries, strict=True):
        assert off.location == on.location
        assert off.path == on.path
    for query, tile in zip(found[1].queries, found[1].references, strict=True):
        assert great_circle_m(query.location, tile.location) < 0.01


def test_a_grid_has_all_its_tiles_and_names_those_that_also_show_the_camera(tmp_path):
    pairs = read_manifest(ensure_split(GRID, tmp_path, workers=1, progress=quiet) / "pairs.csv")
    assert len(pairs.references) == 16
    assert len(pairs.queries) == 2
    for number, query in enumerate(pairs.queries):
        near = [great_circle_m(query.location, tile.location) for tile in pairs.references]
        assert int(np.argmin(near)) == pairs.positives[number]
        east = [abs(plane_of(query.location)[0] - plane_of(tile.location)[0]) for tile in pairs.references]
        north = [abs(plane_of(query.location)[1] - plane_of(tile.location)[1]) for tile in pairs.references]
        covering = {row for row in range(16) if max(east[row], north[row]) < 50.0}
        assert set(pairs.semi_positives[number]) == covering - {int(pairs.positives[number])}


def test_a_margin_shows_the_tile_in_the_middle_of_a_larger_picture(tmp_path):
    same_reach = Difficulty(offset=0.475 * SMALL.spacing_m / TILE_M, noise=0.0, compression=0.0)
    plain = replace(SMALL, centred_too=True, difficulty=same_reach)
    wide = replace(SMALL, margin=0.25, difficulty=same_reach)
    found = [
        read_manifest(ensure_split(split, tmp_path, workers=1, progress=quiet) / name)
        for split, name in ((plain, "centred.csv"), (wide, "pairs.csv"))
    ]
    small, large = (np.asarray(Image.open(pairs.references[0].path), np.int64) for pairs in found)
    assert small.shape == (128, 128, 3)
    assert large.shape == (192, 192, 3)
    assert np.abs(large[32:160, 32:160] - small).mean() < 8


def test_buildings_come_and_go_between_photo_and_tile():
    window = Window(0, -400, 400, 400)
    eras = Eras.paint(1, window, 0.3)
    photo, tile = (ground.material == Material.BUILDING for ground in (eras.photo, eras.tile))
    assert (photo & ~tile).any()
    assert (tile & ~photo).any()
    same = Eras.paint(1, window, 0.0)
    assert same.photo is same.tile


def test_tests_share_no_world_with_training_and_cross_area_none_of_its_countries():
    training = set(SPLITS["train"].seeds)
    for name in ("val", "cross-area", "cross-area-grid", "calibration", "smoke"):
        assert not training & set(SPLITS[name].seeds)
    assert max(training) < ABROAD <= min(SPLITS["cross-area"].seeds + SPLITS["cross-area-grid"].seeds)
    assert not set(SPLITS["calibration"].seeds) & set(SPLITS["cross-area"].seeds + SPLITS["cross-area-grid"].seeds)


def test_same_area_lies_more_than_a_kilometre_from_the_training_areas_of_its_worlds():
    for test in SPLITS["same-area"].areas():
        for area in SPLITS["train"].areas():
            apart = max(abs(test.left_m - area.left_m), abs(test.bottom_m - area.bottom_m))
            assert test.seed != area.seed or apart >= 1_000.0 + area.side_m


def test_test_galleries_hold_ten_thousand_tiles():
    assert all(SPLITS[name].places == 10_000 and SPLITS[name].centred_too for name in ("same-area", "cross-area"))
    grid = SPLITS["cross-area-grid"]
    assert len(grid.areas()) * (grid.area_m / grid.spacing_m) ** 2 == 10_000


@pytest.mark.slow
def test_the_grid_has_as_many_free_places_as_it_promises():
    grid, found = SPLITS["cross-area-grid"], 0
    for area in grid.areas():
        photo = Eras.paint(area.seed, area_window(area), grid.difficulty.change).photo
        asked = list(cells(area, grid.spacing_m))[:: grid.query_every]
        free = (free_spot(photo, area.seed, cell.x_m, cell.y_m, reach_m=grid.reach_m) for cell in asked)
        found += sum(spot is not None for spot in free)
    assert found >= grid.places


def test_an_unknown_split_says_which_there_are():
    with pytest.raises(
        BadDataset,
        match="choose one of train, train-small, train-more, train-further, train-wide, train-wider, train-widest, val",
    ):
        find_split("moon")

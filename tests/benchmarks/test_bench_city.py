import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bench_city import measure, take_photos
from benchmarks.stranger import flat_view, write_stranger
from indexer.pairs.folder import write_pairs
from indexer.pairs.photos import find_photos
from indexer.pairs.specs import PairsSpec
from indexer.tiles.sources.open_source import open_source
from model.common.geo import LatLon, great_circle_m
from model.common.manifest_rows import ManifestRow, write_manifest
from model.data.manifest import read_manifest
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position
from model.inputs.photo_view import GivenView
from model.network.checkpoints import save_bundle
from tests.indexer.pairs.city import city_tiles, spot
from tests.model.tiny import tiny_net


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """As `render region` leaves it: tiles, panoramas that look north, and a manifest."""
    root = tmp_path / "region"
    for path in list(city_tiles(root / "tiles").rglob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    (root / "panoramas").mkdir()
    rows = []
    for number in range(60):
        noise = np.random.default_rng(number).integers(0, 255, (16, 32, 3), np.uint8)
        Image.fromarray(noise).resize((256, 128)).save(root / f"panoramas/{number}.jpg")
        place = spot(120.0 + 38.0 * number, 150.0)
        rows.append(ManifestRow.pair(f"panoramas/{number}.jpg", "tiles/18/140000/88000.jpg", place, spot(50.0, 50.0)))
    write_manifest(root / "pairs.csv", rows)
    return root


def test_a_flat_view_looks_where_it_is_told() -> None:
    panorama = np.zeros((180, 360, 3), np.uint8)
    panorama[:, 268:272] = 255  # a pole 90 degrees to the right of the centre
    view = flat_view(panorama, 90.0, (100, 80), 60.0)
    assert np.flatnonzero(view[40, :, 0]).mean() == pytest.approx(49.5, abs=0.6)
    assert not flat_view(panorama, 0.0, (100, 80), 60.0).any()
    assert flat_view(panorama, 60.0 + 0.5, (100, 80), 60.0)[:, -3:].any(), "at the edge of 60 degrees"


def test_a_strangers_photos_tell_a_place_and_a_heading_that_are_a_little_off(region: Path, tmp_path: Path) -> None:
    assert write_stranger(region, tmp_path / "city") == 60
    with (tmp_path / "city" / "truth.csv").open() as file:
        truth = {row["photo"]: row for row in csv.DictReader(file)}
    away_m, off_deg, flat = [], [], 0
    for path in sorted((tmp_path / "city" / "photos").iterdir()):
        said, row, told = read_photo_position(path), truth[path.name], read_photo_metadata(path)
        assert said is not None
        away_m.append(great_circle_m(said, LatLon(float(row["lat"]), float(row["lon"]))))
        assert told.heading_deg is not None
        off_deg.append((told.heading_deg - float(row["heading_deg"]) + 180.0) % 360.0 - 180.0)
        flat += told.projection == "rectilinear"
    assert 2.0 < np.mean(away_m) < 6.0
    assert 3.0 < np.std(off_deg) < 7.0
    assert 3 <= flat <= 25
    tile = next((tmp_path / "city" / "tiles").rglob("*.jpg"))
    own = region / tile.relative_to(tmp_path / "city")
    assert np.abs(np.asarray(Image.open(tile)).astype(int) - np.asarray(Image.open(own))).mean() > 5.0


def test_a_smaller_folder_of_pairs_is_a_data_set_and_can_be_measured(region: Path, tmp_path: Path) -> None:
    write_stranger(region, tmp_path / "city")
    photos = find_photos(tmp_path / "city" / "photos", GivenView())
    how = PairsSpec(photo_px=128)
    write_pairs(photos, [open_source(tmp_path / "city" / "tiles")], tmp_path / "pairs", how)
    assert take_photos(tmp_path / "pairs", 6, tmp_path / "few") == 6
    few = read_manifest(tmp_path / "few" / "train.csv")
    whole = read_manifest(tmp_path / "pairs" / "val.csv")
    assert len(few.queries) == 6
    assert {tile.margin for tile in few.references} == {0.5}
    assert len(read_manifest(tmp_path / "few" / "val.csv").queries) == len(whole.queries)
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={}, metrics={})
    table = measure(tmp_path / "b", {"val": whole})["val"]
    assert table["queries"] == len(whole.queries)
    assert table["distance_m_median"] > 0

"""What lists are tuned by: photos that were given, or views drawn of the tiles."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec, make_plan
from indexer.building.trials import draw_street_view, make_trial
from indexer.index.manifest import Manifest
from indexer.index.search_spec import SearchSpec
from indexer.index.trial import TRIAL
from indexer.tiles.sources.open_source import open_source
from model.common.errors import BadConfig, BadDataset
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.tiny import encoded, make_tiles

INPUTS = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=128, ground_vertical_deg=60.0)
LISTS = SearchSpec(latency_ms=0)


class NoPhotos:
    """A tile encoder, and no more."""

    def __init__(self) -> None:
        whole = FakeEncoder()
        self.name, self.digest, self.dim = whole.name, whole.digest, whole.dim
        self.numbers, self.inputs = whole.numbers, whole.inputs
        self.encode_satellite = whole.encode_satellite


def photos(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(encoded(500 + number))
    manifest = folder / "photos.csv"
    manifest.write_text("query\n" + "".join(f"{number}.png\n" for number in range(count)))
    return manifest


def test_a_view_shows_the_ground_below_the_horizon_in_its_direction() -> None:
    tile = np.zeros((64, 64, 3), np.uint8)
    tile[:32], tile[32:] = (200, 20, 20), (20, 20, 200)  # red in the north, blue in the south
    view = draw_street_view(Image.fromarray(tile), 100.0, INPUTS, number=1).astype(int)
    ground = view[26:]
    north, south = ground[:, 56:72].mean(axis=(0, 1)), ground[:, :8].mean(axis=(0, 1))
    assert north[0] > north[2] + 30
    assert south[2] > south[0] + 30
    assert np.array_equal(draw_street_view(Image.fromarray(tile), 100.0, INPUTS, number=1), view)
    assert not np.array_equal(draw_street_view(Image.fromarray(tile), 100.0, INPUTS, number=2), view)


def test_lists_are_tuned_by_views_of_the_tiles_unless_there_are_photos(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 8, 8))
    build_index(source, FakeEncoder(), tmp_path / "drawn", spec=BuildSpec(search=LISTS))
    drawn = Manifest.read(tmp_path / "drawn")
    assert drawn.search.trial == "64 panoramas drawn of its tiles"
    assert np.load(tmp_path / "drawn" / TRIAL).shape == (64, 27)
    assert TRIAL in drawn.files
    spec = BuildSpec(search=LISTS, trial=str(photos(tmp_path / "photos", 7)))
    build_index(source, FakeEncoder(), tmp_path / "given", spec=spec)
    given = Manifest.read(tmp_path / "given")
    assert given.search.trial == "7 photos of photos"
    assert given.search.curve[-1] == (given.search.probes, given.search.recall)


def test_an_encoder_without_photos_is_tuned_by_noise_and_refuses_photos(tmp_path: Path) -> None:
    source, encoder = open_source(make_tiles(tmp_path / "tiles", 4, 4)), NoPhotos()
    build_index(source, encoder, tmp_path / "index", spec=BuildSpec(search=LISTS))
    assert Manifest.read(tmp_path / "index").search.trial == "16 vectors with noise"
    assert not (tmp_path / "index" / TRIAL).exists()
    with pytest.raises(BadConfig, match="embeds no photos"):
        build_index(source, encoder, tmp_path / "other", spec=BuildSpec(trial=str(photos(tmp_path / "photos", 1))))


def test_photos_that_are_not_there_are_said_before_a_tile_is_embedded(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles"))
    with pytest.raises(BadDataset, match=r"none\.csv"):
        build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(trial=str(tmp_path / "none.csv")))
    assert not (tmp_path / ".index.partial").exists()


def test_a_tile_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    tiles = make_tiles(tmp_path / "tiles", 4, 4)
    next(iter(sorted(tiles.rglob("*.png")))).write_bytes(b"broken")
    source, spec = open_source(tiles), BuildSpec()
    plan = make_plan(source, FakeEncoder(), tmp_path / "index", spec)
    trial = make_trial(FakeEncoder(), source, plan, spec)()
    assert trial is not None
    assert trial.queries.shape == (15, 27)

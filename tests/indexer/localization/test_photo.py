"""Searching with one photo: headings over the index, each tile once, and doubts about the photo's shape."""

import numpy as np
import pytest
from PIL import Image, ImageChops

from indexer.localization.photo import search_photo
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon
from tests.fakes import FakeEncoder
from tests.indexer.tiny import build_tiny, picture


def panorama(seed: int, heading_deg: float) -> Image.Image:
    """As wide as the fake encoder's canvas in degrees; its centre looks `heading_deg`."""
    north = picture(seed).resize((576, 64), Image.Resampling.NEAREST)
    return ImageChops.offset(north, -round(576 * heading_deg / 360), 0)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory):
    return build_tiny(tmp_path_factory.mktemp("photo"))


def test_the_heading_is_found_with_the_tile(index) -> None:
    found = search_photo(index, FakeEncoder(), panorama(4, 123.75), heading_deg=None, top_k=5)
    given = search_photo(index, FakeEncoder(), panorama(4, 123.75), heading_deg=123.75, top_k=5)
    assert found.hits[0].row == given.hits[0].row
    assert found.hits[0].heading_deg == pytest.approx(123.75, abs=360 / 64)
    assert len({hit.row for hit in found.hits}) == len(found.hits) == 5
    assert (found.exact, found.scanned) == (True, 12)


def test_each_tile_has_its_best_score_over_all_headings(index) -> None:
    photo = panorama(7, 200.0)
    every = [search_photo(index, FakeEncoder(), photo, heading_deg=360 * i / 64, top_k=12) for i in range(64)]
    best = {row: max(hit.score for one in every for hit in one.hits if hit.row == row) for row in range(12)}
    found = search_photo(index, FakeEncoder(), photo, heading_deg=None, top_k=3)
    assert found.hits[0].score == pytest.approx(max(best.values()), abs=1e-5)
    assert all(hit.score <= best[hit.row] + 1e-5 for hit in found.hits)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


def test_headings_are_embedded_in_two_batches(index) -> None:
    sizes = []

    class Counting(FakeEncoder):
        def encode_ground(self, pixels):
            sizes.append(len(pixels))
            return super().encode_ground(pixels)

    search_photo(index, Counting(), panorama(4, 0.0), heading_deg=None)
    assert sizes == [24, 4]  # four, for 64 columns leave no more between two headings


def test_an_area_without_tiles_gives_no_hits(index) -> None:
    far = CircleRegion(LatLon(-40.0, -100.0), 1000.0)
    found = search_photo(index, FakeEncoder(), panorama(4, 0.0), heading_deg=None, region=far)
    assert (found.hits, found.scanned) == ((), 0)


def test_a_square_is_no_panorama(index) -> None:
    square = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 5, 3), np.uint8)).resize((50, 50))
    assert "fov_deg 70" in search_photo(index, FakeEncoder(), square).warnings[0]
    assert search_photo(index, FakeEncoder(), square, fov_deg=70.0).warnings == ()

"""One photo against an index: headings, each tile once, the area, and doubts about the photo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from indexer.common.errors import BadQuery, NoTilesInRegion
from indexer.localization.localizer import Localizer, View
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon
from model.data.loaders import lay_query, open_query
from model.data.pairs import PairSet, Query, Reference
from model.evaluation.evaluator import DualEncoder, evaluate
from model.evaluation.protocol import QueryProtocol
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
    found = Localizer(FakeEncoder(), index).localize(panorama(4, 123.75), View(None), top_k=5)
    given = Localizer(FakeEncoder(), index).localize(panorama(4, 123.75), View(123.75), top_k=5)
    assert found.matches[0].tile.tile_id == given.matches[0].tile.tile_id
    assert found.matches[0].heading_deg == pytest.approx(123.75, abs=360 / 64)
    assert len({match.tile.tile_id for match in found.matches}) == len(found.matches) == 5
    assert (found.exact, found.scanned) == (True, 12)


def test_each_tile_has_its_best_score_over_all_headings(index) -> None:
    photo = panorama(7, 200.0)
    every = [Localizer(FakeEncoder(), index).localize(photo, View(360 * i / 64), top_k=12) for i in range(64)]
    best = {
        tile: max(hit.score for one in every for hit in one.matches if hit.tile.tile_id == tile)
        for tile in index.tiles.tile_id.tolist()
    }
    found = Localizer(FakeEncoder(), index).localize(photo, View(None), top_k=3)
    assert found.matches[0].score == pytest.approx(max(best.values()), abs=1e-5)
    assert all(hit.score <= best[hit.tile.tile_id] + 1e-5 for hit in found.matches)
    scores = [hit.score for hit in found.matches]
    assert scores == sorted(scores, reverse=True)


def test_headings_are_embedded_in_two_batches(index) -> None:
    sizes = []

    class Counting(FakeEncoder):
        def encode_ground(self, pixels):
            sizes.append(len(pixels))
            return super().encode_ground(pixels)

    Localizer(Counting(), index).localize(panorama(4, 0.0), View(None))
    assert sizes == [24, 4]  # four, for 64 columns leave no more between two headings


@pytest.mark.parametrize("heading_deg", [0.0, None])
def test_an_area_without_tiles_is_an_error_that_says_so(index, heading_deg) -> None:
    far = CircleRegion(LatLon(-40.0, -100.0), 1000.0)
    with pytest.raises(NoTilesInRegion, match="none of the 12 tiles"):
        Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), View(heading_deg, region=far))


def test_fewer_matches_than_one_are_refused(index) -> None:
    with pytest.raises(BadQuery, match="top_k is 0"):
        Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), top_k=0)


def test_the_position_does_not_depend_on_how_many_matches_are_wanted(index) -> None:
    localizer = Localizer(FakeEncoder(), index)
    positions = {localizer.localize(panorama(4, 0.0), top_k=top_k).position for top_k in (1, 5, 12)}
    assert len(positions) == 1


def test_bytes_a_path_and_a_picture_are_one_photo(index, tmp_path) -> None:
    localizer, image = Localizer(FakeEncoder(), index), panorama(4, 0.0)
    path = tmp_path / "photo.png"
    image.save(path)
    answers = [localizer.localize(photo) for photo in (image, path, path.read_bytes())]
    assert answers[0].matches == answers[1].matches == answers[2].matches


def test_a_square_is_no_panorama(index) -> None:
    square = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 5, 3), np.uint8)).resize((50, 50))
    localizer = Localizer(FakeEncoder(), index)
    assert "fov_deg 70" in localizer.localize(square).warnings[0]
    assert localizer.localize(square, View(fov_deg=70.0)).warnings == ()


@pytest.mark.parametrize("heading", ["known", "unknown"])
def test_what_is_measured_is_what_is_served(index, tmp_path, heading) -> None:
    """The evaluator and the localizer search headings alike: same best tile, same score, same heading."""
    queries, references = [], []
    for row in range(index.count):
        tile = index.tile(row)
        references.append(Reference(Path(index.source_path) / f"{tile.tile_id}.png", LatLon(tile.lat, tile.lon)))
        path = tmp_path / f"{row}.png"
        picture(row).resize((64, 32)).save(path)
        queries.append(Query(path, location=LatLon(tile.lat, tile.lon)))
    pairs = PairSet("tiny", tuple(queries), tuple(references), np.arange(index.count))
    encoder, protocol = FakeEncoder(), QueryProtocol(heading=heading, headings=8)
    encoders = DualEncoder(encoder.encode_ground, encoder.encode_satellite, encoder.inputs, encoder.dim)
    measured = evaluate(encoders, pairs, protocol=protocol).query_results
    localizer = Localizer(encoder, index, headings=8)
    for number, query in enumerate(queries):
        canvas = protocol.ask(lay_query(open_query(query, encoder.inputs), query, encoder.inputs), query, number).canvas
        best = localizer.rank_tiles(canvas, heading_deg=None if protocol.searches else 0.0).hits[0]
        assert best.row == measured.tops[number]
        if protocol.searches:
            assert best.heading_deg == measured.found_deg[number]

"""A camera between two anchors is found there, and what cannot be looked at again is said."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from indexer.common.errors import BadQuery, BadSource, IndexMismatch
from indexer.confidence.calibration import Conditions
from indexer.confidence.features import BEST
from indexer.index.tile_index import TileIndex
from indexer.localization.localizer import Localizer
from indexer.localization.reranking import Reranker
from model.common.geo import great_circle_m
from model.inputs.anchors import anchor_px, recentre
from model.inputs.heading_search import Hit
from model.inputs.photo_view import GivenView
from model.network.encoder import Encoder
from tests.fakes import FakeEncoder
from tests.indexer.bundles import write_bundle
from tests.indexer.tiny import build_tiny, picture

NORTH = GivenView(heading_deg=0.0, fov_deg=360.0)
ANCHORED = FakeEncoder(inputs=replace(FakeEncoder().inputs, anchors=2))
ONE = FakeEncoder()
BETWEEN = (0.0, 0.125)
"""Anchors lie at 1/8 of the side from the centre along both axes, and 1/8 is also half a step."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("rerank"), columns=5, encoder=ANCHORED)


def panorama(seed: int, point: tuple[float, float]) -> Image.Image:
    """What the fake encoder sees from a point of a tile."""
    tile = np.asarray(picture(seed).resize((32, 32), Image.Resampling.BOX))
    seen = recentre(tile, *anchor_px(point, 32))
    return Image.fromarray(seen).resize((576, 64), Image.Resampling.NEAREST)


def localizers(index: TileIndex, candidates: int) -> tuple[Localizer, Localizer]:
    return Localizer(ANCHORED, index), Localizer(ANCHORED, index, reranker=Reranker(index, ONE, candidates=candidates))


def test_a_camera_between_anchors_is_found_there(index: TileIndex) -> None:
    before, after = (one.localize(panorama(7, BETWEEN), NORTH) for one in localizers(index, 5))
    tile = after.matches[0].tile
    assert tile == Localizer(ANCHORED, index).localize(panorama(7, (0.125, 0.125)), NORTH).matches[0].tile
    assert after.matches[0].score > before.matches[0].score + 0.001
    south_m = great_circle_m(after.position.centre, replace(after.position.centre, lat=tile.lat))
    side_m = great_circle_m(
        replace(after.position.centre, lat=tile.bounds.south), replace(after.position.centre, lat=tile.bounds.north)
    )
    assert south_m / side_m == pytest.approx(0.125, abs=0.03)
    assert after.position.centre.lat < tile.lat
    assert great_circle_m(after.matches[0].place, after.position.centre) < 0.001 * side_m
    assert after.position.centre.lon == pytest.approx(tile.lon, abs=0.03 * (tile.bounds.east - tile.bounds.west))
    assert {"decode", "embed", "search", "total"} == set(after.seconds)


def test_where_the_heading_is_unknown_each_tile_is_looked_at_with_its_own(index: TileIndex) -> None:
    turned = ImageChops.offset(panorama(7, (0.125, 0.125)), -144, 0)  # its centre looks east
    before, after = (
        one.localize(turned, GivenView(heading_deg="unknown", fov_deg=360.0), top_k=5) for one in localizers(index, 5)
    )
    assert (before.matches[0].heading_deg, after.matches[0].heading_deg) == (90.0, 90.0)
    assert after.matches[0].score == pytest.approx(1.0, abs=0.002)
    scores = {match.tile.tile_id: match.score for match in before.matches}
    assert all(match.score >= scores[match.tile.tile_id] for match in after.matches)
    assert any(match.score > scores[match.tile.tile_id] for match in after.matches[1:])


def test_where_the_heading_is_known_the_photo_is_looked_at_as_it_was_laid(index: TileIndex) -> None:
    _, again = localizers(index, 5)
    north = again.localize(panorama(7, BETWEEN), NORTH)
    east = ImageChops.offset(panorama(7, BETWEEN), -144, 0)
    turned = again.localize(east, GivenView(heading_deg=90.0, fov_deg=360.0))
    assert turned.matches[0].tile == north.matches[0].tile
    assert turned.matches[0].score == pytest.approx(north.matches[0].score, abs=3e-4)


def test_a_confidence_of_one_look_is_none_of_two(index: TileIndex) -> None:
    _, again = localizers(index, 5)
    found = again.localize(panorama(7, BETWEEN), NORTH).position
    asked = Conditions.of(0.0, 360.0, headings=24, reranked=5)
    assert found.no_confidence_because == again.calibrations.why_none(asked)


def test_opening_takes_a_second_look_where_one_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = str(write_bundle(tmp_path / "bundle"))
    encoder = Encoder.load(bundle, device="cpu", anchors=2)
    build_tiny(tmp_path, encoder=encoder)
    load, asked = Encoder.load, []

    def noting(checkpoint: str, **options: object) -> Encoder:
        asked.append((checkpoint, options.pop("device"), options.pop("engine")))
        return load(checkpoint, device="cpu", **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Encoder, "load", noting)
    opened = Localizer.open(tmp_path / "index", checkpoint=bundle, device="cpu", engine="torch", rerank=3)
    assert opened.reranked == 3
    assert asked == [(bundle, "cpu", "torch")] * 2  # once to ask with, once to look again


@pytest.mark.parametrize("heading_deg", [0.0, "unknown"])
def test_more_are_looked_at_again_than_an_estimate_or_the_caller_wants(
    tmp_path: Path, heading_deg: float | str
) -> None:
    wide = build_tiny(tmp_path, columns=6, rows=4, encoder=ANCHORED)
    candidates = BEST + 2
    again = Localizer(ANCHORED, wide, reranker=Reranker(wide, ONE, candidates=candidates))
    shutil.rmtree(tmp_path / "tiles")
    found = again.localize(panorama(7, BETWEEN), GivenView(heading_deg=heading_deg, fov_deg=360.0), top_k=1)
    assert found.warnings[0].startswith(f"{candidates} of the best {candidates} tiles cannot be read any more")


def test_a_canvas_that_is_laid_by_its_heading_is_looked_at_as_it_is(index: TileIndex) -> None:
    _, again = localizers(index, 5)
    canvas = again.prepare(panorama(7, BETWEEN), NORTH).canvas
    north, east = (again.rank_tiles(canvas, heading_deg=heading_deg).hits for heading_deg in (0.0, 90.0))
    assert [replace(hit, heading_deg=0.0) for hit in east] == north


@pytest.mark.parametrize("known", [True, False])
def test_a_photo_is_turned_by_whole_columns_to_the_heading_of_each_tile(index: TileIndex, known: bool) -> None:
    """With columns enough that a degree too many would be seen."""
    _, again = localizers(index, 3)
    rng = np.random.default_rng(1)
    canvas, laid = rng.integers(0, 255, (32, 1024, 3), np.uint8), []
    again.reranker.refine = lambda hits, vectors: laid.append(vectors) or (hits, 0)
    hits = [
        Hit(row, 0.9, heading_deg) for row, heading_deg in ((0, 359.6484375), (1, 90.0), (2, 359.6484375), (3, 0.0))
    ]
    again._look_again(canvas, hits, known=known)
    turns = [0, 0, 0] if known else [1023, 256, 1023]
    expected = ONE.encode_ground(np.stack([np.roll(canvas, turn, axis=1) for turn in turns]))
    assert np.abs(laid[0] - expected).max() < 1e-6


def test_the_second_look_counts_as_searching(index: TileIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    _, again = localizers(index, 3)
    refine = Reranker.refine

    def slow(self: Reranker, *given: object) -> object:
        time.sleep(0.05)
        return refine(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Reranker, "refine", slow)
    for heading_deg in (0.0, "unknown"):
        seconds = again.localize(panorama(7, BETWEEN), GivenView(heading_deg=heading_deg, fov_deg=360.0)).seconds
        assert 0.05 <= seconds["search"] <= seconds["total"]


def test_only_the_first_are_looked_at_and_none_is_lost(index: TileIndex) -> None:
    photo = panorama(7, BETWEEN)
    plain, again = (one.localize(photo, NORTH, top_k=15) for one in localizers(index, 2))
    assert {match.tile.tile_id for match in again.matches} == {match.tile.tile_id for match in plain.matches}
    assert again.matches[2:] == plain.matches[2:]


def test_a_score_never_falls(index: TileIndex) -> None:
    reranker = Reranker(index, ONE, candidates=15)
    vectors = ONE.encode_satellite(np.random.default_rng(0).integers(0, 255, (15, 32, 32, 3), np.uint8))
    hits = [Hit(row, 0.99 if row % 2 else -0.99, 0.0, row % 4) for row in range(15)]
    found = {hit.row: hit for hit in reranker.refine(hits, vectors)[0]}
    for hit in hits:
        assert found[hit.row].score >= hit.score
        east, south = found[hit.row].shift
        assert max(abs(east), abs(south)) <= 0.125


def test_the_place_is_the_mean_of_what_matches(index: TileIndex) -> None:
    def place(score: float) -> tuple[float, float]:
        """Of the tile of a picture, its own score being this."""
        vectors = ONE.encode_satellite(np.full((1, 32, 32, 3), 90, np.uint8))
        return Reranker(index, ONE, candidates=1).refine([Hit(0, score, 0.0, 0)], vectors)[0][0].shift

    assert place(2.0) == pytest.approx((0.0, 0.0), abs=1e-6)  # nothing else comes near
    assert place(-1.0) != pytest.approx((0.0, 0.0), abs=1e-3)


def test_a_tile_that_is_gone_keeps_what_it_had_and_the_answer_says_so(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder.parent, tmp_path / "copy")
    copy = TileIndex.open(tmp_path / "copy" / "index")
    _, again = localizers(copy, 5)
    whole = again.localize(panorama(7, BETWEEN), NORTH)
    (copy.segments[0].source_path / whole.matches[0].tile.source).unlink()
    poorer = again.localize(panorama(7, BETWEEN), NORTH)
    assert poorer.matches[0].tile == whole.matches[0].tile
    assert poorer.matches[0].score < whole.matches[0].score
    assert not whole.warnings
    assert poorer.warnings == (
        "1 of the best 5 tiles cannot be read any more, so not looked at again; put the pictures of index "
        "index back, or leave --rerank out",
    )
    assert poorer.position.confidence is None
    searched = again.localize(panorama(7, BETWEEN), GivenView(heading_deg="unknown", fov_deg=360.0))
    assert searched.warnings == poorer.warnings


def test_what_cannot_be_looked_at_again_is_said(index: TileIndex, tmp_path: Path) -> None:
    with pytest.raises(BadQuery, match="give at least one candidate"):
        Reranker(index, ONE, candidates=0)
    with pytest.raises(BadQuery, match="an encoder of one anchor"):
        Reranker(index, ANCHORED, candidates=5)
    with pytest.raises(IndexMismatch):
        Reranker(index, FakeEncoder("other"), candidates=5)
    with pytest.raises(BadQuery, match="has one vector a tile"):
        Reranker(build_tiny(tmp_path / "plain", columns=1), ONE, candidates=5)
    lonely = Path(shutil.copytree(index.folder, tmp_path / "lonely" / "index"))
    with pytest.raises(BadSource, match="are not where it was built from"):
        Reranker(TileIndex.open(lonely), ONE, candidates=5)


def test_no_candidates_are_no_reranker(index: TileIndex) -> None:
    assert Reranker.open(index, checkpoint="nowhere", candidates=0) is None


def test_a_calibration_speaks_about_one_way_of_looking(index: TileIndex) -> None:
    once, twice = Conditions((360.0, 360.0)), Conditions((360.0, 360.0), reranked=50)
    assert not once.include(twice)
    assert not twice.include(once)
    assert Conditions.from_json({"fov_deg": [360.0, 360.0], "headings": None, "reranked": 50}) == twice
    assert Conditions.from_json({"fov_deg": [360.0, 360.0], "headings": None}) == once
    assert str(twice).endswith("the best 50 tiles looked at again")
    with pytest.raises(ValueError, match="looked at again"):
        Conditions.from_json({"fov_deg": [360.0, 360.0], "headings": None, "reranked": -1})
    assert [one.reranked for one in localizers(index, 7)] == [0, 7]

"""Several photos of one place: their scores are added, and each may look another way, known or not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from indexer.common.errors import BadQuery, NoTilesInRegion
from indexer.localization.batch import localize_photos_together
from indexer.localization.localizer import Localizer
from indexer.localization.photo_list import PhotoRequest
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon
from model.inputs.photo_view import GivenView
from tests.fakes import FakeEncoder
from tests.indexer.tiny import build_tiny, picture

NORTH = GivenView(heading_deg=0.0, fov_deg=360.0)
EAST = GivenView(heading_deg=90.0, fov_deg=360.0)
UNKNOWN = GivenView(heading_deg="unknown", fov_deg=360.0)


@pytest.fixture(scope="module")
def localizer(tmp_path_factory: pytest.TempPathFactory) -> Localizer:
    return Localizer(FakeEncoder(), build_tiny(tmp_path_factory.mktemp("together"), columns=6))


def panorama(seed: int, heading_deg: float = 0.0) -> Image.Image:
    """A tile's picture as wide and high as the fake encoder's canvas in degrees; its centre looks that way."""
    north = picture(seed).resize((576, 64), Image.Resampling.NEAREST)
    return ImageChops.offset(north, -round(576 * heading_deg / 360), 0)


def doubtful(seed: int, rival: int, share: float, heading_deg: float = 0.0) -> Image.Image:
    """A panorama of a place that looks more like another one."""
    return Image.blend(panorama(seed, heading_deg), panorama(rival, heading_deg), share)


def row_of(localizer: Localizer, seed: int) -> str:
    return localizer.localize(panorama(seed), NORTH).matches[0].tile.tile_id


def test_one_photo_together_is_one_photo(localizer: Localizer) -> None:
    for given in (NORTH, UNKNOWN, EAST):
        alone = localizer.localize(doubtful(4, 7, 0.4), given, top_k=6)
        joint = localizer.localize_together([doubtful(4, 7, 0.4)], [given], top_k=6)
        assert [match.tile for match in joint.found.matches] == [match.tile for match in alone.matches]
        np.testing.assert_allclose(
            [match.score for match in joint.found.matches], [match.score for match in alone.matches], atol=1e-6
        )
        assert [match.heading_deg for match in joint.found.matches] == [match.heading_deg for match in alone.matches]
        assert joint.found.position.centre == alone.position.centre


def test_photos_that_are_wrong_alone_are_right_together(localizer: Localizer) -> None:
    wanted = row_of(localizer, 4)
    photos = [doubtful(4, rival, 0.6) for rival in (7, 9, 11)]
    assert all(localizer.localize(photo, NORTH).matches[0].tile.tile_id != wanted for photo in photos)
    joint = localizer.localize_together(photos, [NORTH] * 3)
    assert joint.found.matches[0].tile.tile_id == wanted
    assert joint.found.scanned == localizer.index.count


def test_the_score_is_the_mean(localizer: Localizer) -> None:
    photos = [panorama(1), doubtful(4, 9, 0.3), panorama(2)]
    every = localizer.index.count
    alone = [localizer.localize(photo, NORTH, top_k=every) for photo in photos]
    by_tile = [{match.tile.tile_id: match.score for match in found.matches} for found in alone]
    for match in localizer.localize_together(photos, [NORTH] * 3, top_k=every).found.matches:
        assert match.score == pytest.approx(np.mean([scores[match.tile.tile_id] for scores in by_tile]), abs=1e-6)


def test_each_photo_has_a_heading_of_its_own(localizer: Localizer) -> None:
    looks = (0.0, 90.0, 225.0)
    photos = [doubtful(4, rival, 0.3, look) for rival, look in zip((7, 9, 11), looks, strict=True)]
    joint = localizer.localize_together(photos, [NORTH, EAST, UNKNOWN])
    assert joint.found.matches[0].tile.tile_id == row_of(localizer, 4)
    assert joint.headings_deg == pytest.approx((0.0, 90.0, 225.0), abs=360 / 64 + 0.1)  # by whole columns
    assert [view.heading_deg for view in joint.views] == [0.0, 90.0, None]
    assert joint.found.position.confidence is None
    backwards = localizer.localize_together(photos[::-1], [UNKNOWN, EAST, NORTH])
    assert backwards.found.matches[0].tile == joint.found.matches[0].tile
    assert backwards.found.matches[0].heading_deg == joint.headings_deg[2]


def test_only_the_area_is_searched(localizer: Localizer) -> None:
    here = CircleRegion(localizer.index.tile(3).bounds.centre, 100.0)
    joint = localizer.localize_together([panorama(4)] * 2, [NORTH] * 2, region=here)
    assert joint.found.scanned < localizer.index.count
    for given in (NORTH, UNKNOWN):
        with pytest.raises(NoTilesInRegion, match="Widen the area"):
            localizer.localize_together([panorama(4)], [given], region=CircleRegion(LatLon(-60.0, 10.0), 5.0))


def test_what_makes_no_sense_is_refused(localizer: Localizer) -> None:
    with pytest.raises(BadQuery, match="0 photos are asked together"):
        localizer.localize_together([])
    with pytest.raises(BadQuery, match="for 0 matches"):
        localizer.localize_together([panorama(4)], top_k=0)
    areas = [CircleRegion(LatLon(50.0, 7.0), radius_m) for radius_m in (10.0, 20.0)]
    prepared = [localizer.prepare(panorama(4), NORTH, region=area) for area in areas]
    with pytest.raises(BadQuery, match="different areas"):
        localizer.answer_together(prepared)


def test_files_of_one_place(localizer: Localizer, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path, rival in zip(paths, (7, 9, 11), strict=True):
        doubtful(4, rival, 0.5).save(path)
    (tmp_path / "text.png").write_text("text")
    requests = [PhotoRequest(path, NORTH) for path in (*paths, tmp_path / "text.png")]
    answer = localize_photos_together(localizer, requests)
    assert answer.found is not None
    assert answer.found.warnings == (f"text.png is left out: {answer.found.warnings[0].split(': ', 1)[1]}",)
    assert [one.photo for one in answer.together] == paths
    content = answer.as_json()
    assert [Path(one["photo"]).name for one in content["photos"]] == ["0.png", "1.png", "2.png"]
    assert content["photos"][0]["heading_source"] == "given"
    assert "view" not in content
    assert answer.row()["heading_deg"] is None
    assert answer.row()["photo"] == "; ".join(map(str, paths))
    none = localize_photos_together(localizer, requests[3:])
    assert none.found is None
    assert "text.png is left out" in str(none.error)
    nowhere = CircleRegion(LatLon(-60.0, 10.0), 5.0)
    none = localize_photos_together(localizer, [PhotoRequest(paths[0], NORTH, nowhere)])
    assert "touches the given area" in str(none.error)

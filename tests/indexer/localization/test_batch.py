"""Many photos at once: the same answers as one by one, in order, in bounded memory, whatever fails among them."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import BadQuery
from indexer.index.tile_index import TileIndex
from indexer.localization.batch import localize_photos
from indexer.localization.localizer import Localizer
from indexer.localization.photo_list import PhotoRequest
from indexer.tiles.region import CircleRegion
from indexer.tiles.sources.open_source import open_source
from model.common.geo import LatLon
from model.inputs.photo_view import GivenView
from model.network.encoder import Encoder
from tests.fakes import FakeEncoder
from tests.indexer.tiny import build_tiny, make_tiles, picture
from tests.model.photo_files import exif, photo

NORTH = GivenView(heading_deg=0.0)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("batch"))


def photos(folder: Path, count: int) -> list[PhotoRequest]:
    """Every third without a heading, every fourth cut to 90 degrees."""
    requests = []
    for number in range(count):
        path = folder / f"{number}.png"
        blended = Image.blend(picture(number % 12, 96), picture(1000 + number, 96), 0.3)
        blended.resize((128, 64)).save(path)
        given = GivenView("unknown" if number % 3 == 0 else 10.0 * number, 90.0 if number % 4 == 0 else 360.0)
        requests.append(PhotoRequest(path, given))
    return requests


def test_a_batch_answers_as_one_by_one(index: TileIndex, tmp_path: Path) -> None:
    localizer, requests = Localizer(FakeEncoder(), index), photos(tmp_path, 11)
    together = list(localize_photos(localizer, requests, top_k=4, batch_size=4, workers=3))
    assert [answer.photo for answer in together] == [request.path for request in requests]
    for answer, request in zip(together, requests, strict=True):
        alone = localizer.localize(request.path, request.given, top_k=4)
        assert answer.found is not None
        assert answer.found.as_json() == alone.as_json()


def test_so_does_the_real_network(tmp_path: Path) -> None:
    encoder = Encoder.load("demo", device="cpu")
    build_index(open_source(make_tiles(tmp_path / "tiles")), encoder, tmp_path / "index", spec=BuildSpec())
    localizer = Localizer(encoder, TileIndex.open(tmp_path / "index"))
    requests = [request for request in photos(tmp_path, 8) if request.given.heading_deg != "unknown"]
    together = list(localize_photos(localizer, requests, batch_size=8))
    for answer, request in zip(together, requests, strict=True):
        alone = localizer.localize(request.path, request.given).as_json()
        assert answer.found is not None
        assert answer.found.as_json() == alone


def test_what_fails_has_a_reason_and_stops_nobody(index: TileIndex, tmp_path: Path) -> None:
    good, *_ = photos(tmp_path, 2)
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "cut.jpg").write_bytes(photo()[:300])
    (tmp_path / "folder.jpg").mkdir()
    far = PhotoRequest(good.path, NORTH, CircleRegion(LatLon(-60.0, 100.0), 10.0))
    bad = [PhotoRequest(tmp_path / name, NORTH) for name in ("text.jpg", "cut.jpg", "missing.jpg", "folder.jpg")]
    nowhere = PhotoRequest(good.path, NORTH, around_exif_m=50.0)
    answers = list(localize_photos(Localizer(FakeEncoder(), index), [good, *bad, far, nowhere, good]))
    reasons = [answer.error for answer in answers]
    assert reasons[0] is None
    assert reasons[-1] is None
    wanted = ("the photo is not a JPEG", "the photo cannot be decoded|cut short", "it cannot be read: No such file")
    wanted += ("it cannot be read: Is a directory", "touches the given area", "it has no EXIF position")
    for reason, pattern in zip(reasons[1:-1], wanted, strict=True):
        assert reason is not None
        assert any(part in reason for part in pattern.split("|")), reason


def test_an_enormous_file_is_not_read(index: TileIndex, tmp_path: Path) -> None:
    with (tmp_path / "film.jpg").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    (answer,) = localize_photos(Localizer(FakeEncoder(), index), [PhotoRequest(tmp_path / "film.jpg")])
    assert answer.error == "it has 1,099,511,627,776 bytes, and a photo at most 1,073,741,824; is it a photo?"


def test_exif_position_is_a_prior_only_when_asked(index: TileIndex, tmp_path: Path) -> None:
    here = index.tile(4).bounds.centre
    whole = photo(size=(128, 64), exif=exif(position=(round(here.lat, 4), round(here.lon, 4))))
    (tmp_path / "a.jpg").write_bytes(whole)
    localizer = Localizer(FakeEncoder(), index)
    plain, near = localize_photos(
        localizer, [PhotoRequest(tmp_path / "a.jpg", NORTH), PhotoRequest(tmp_path / "a.jpg", NORTH, None, 100.0)]
    )
    assert plain.found is not None
    assert near.found is not None
    assert plain.found.scanned == index.count
    assert near.found.scanned < index.count
    (tmp_path / "b.jpg").write_bytes(photo(size=(128, 64)))
    (bare,) = localize_photos(localizer, [PhotoRequest(tmp_path / "b.jpg", NORTH)])
    assert bare.found is not None
    assert bare.found.as_json() == plain.found.as_json()


def test_no_more_than_two_batches_are_ahead(index: TileIndex, tmp_path: Path) -> None:
    one, taken = photos(tmp_path, 2)[1], 0

    def endless() -> Iterator[PhotoRequest]:
        nonlocal taken
        while True:
            taken += 1
            yield one

    answers = localize_photos(Localizer(FakeEncoder(), index), endless(), batch_size=4)
    for done in range(1, 41):
        next(answers)
        assert taken <= (done + 3) // 4 * 4 + 4
    answers.close()


def test_memory_is_flat_over_many_photos(index: TileIndex, tmp_path: Path) -> None:
    one = photos(tmp_path, 2)[1]
    answers = localize_photos(Localizer(FakeEncoder(), index), (one for _ in range(500)), top_k=1)
    for _ in range(100):
        next(answers)
    gc.collect()
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in answers) == 400
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - begun < 300_000
        assert tracemalloc.get_traced_memory()[1] - begun < 16 * 3 * np.prod((64, 32, 3)) * 8 + 4_000_000
    finally:
        tracemalloc.stop()


def test_no_match_wanted_is_refused(index: TileIndex) -> None:
    with pytest.raises(BadQuery, match="top_k is 0"):
        next(localize_photos(Localizer(FakeEncoder(), index), [], top_k=0))

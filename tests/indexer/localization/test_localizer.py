"""One photo against an index: headings, each tile once, the area, and doubts about the photo."""

import datetime
import io
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from indexer.building.plan import BuildSpec
from indexer.common.errors import BadQuery, IndexDamaged, IndexMismatch, NoTilesInRegion
from indexer.confidence.calibration import Conditions
from indexer.confidence.features import BEST
from indexer.confidence.storage import write_calibration
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.localization.localizer import Localizer
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery
from model.common.errors import BadCheckpoint, BadConfig, BadImage
from model.common.geo import Bounds, LatLon
from model.common.images import decode_image
from model.data.pairs import PairSet, Query, Reference
from model.data.pictures import lay_query, open_query
from model.evaluation.evaluator import DualEncoder, evaluate
from model.evaluation.protocol import QueryProtocol
from model.inputs.photo_view import GivenView
from model.inputs.transforms import lay_panorama
from model.network.encoder import Encoder
from tests.fakes import FakeEncoder
from tests.indexer.bundles import write_bundle
from tests.indexer.candidates import CALIBRATION
from tests.indexer.tiny import build_tiny, picture
from tests.model import photo_files


def panorama(seed: int, heading_deg: float) -> Image.Image:
    """As wide as the fake encoder's canvas in degrees; its centre looks `heading_deg`."""
    north = picture(seed).resize((576, 64), Image.Resampling.NEAREST)
    return ImageChops.offset(north, -round(576 * heading_deg / 360), 0)


def seen(heading_deg: float | None = 0.0, fov_deg: float = 360.0) -> GivenView:
    """What is given of a photo; a heading of None is unknown."""
    return GivenView(heading_deg="unknown" if heading_deg is None else heading_deg, fov_deg=fov_deg)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory):
    return build_tiny(tmp_path_factory.mktemp("photo"))


def test_the_heading_is_found_with_the_tile(index) -> None:
    found = Localizer(FakeEncoder(), index).localize(panorama(4, 123.75), seen(None), top_k=5)
    given = Localizer(FakeEncoder(), index).localize(panorama(4, 123.75), seen(123.75), top_k=5)
    assert found.matches[0].tile.tile_id == given.matches[0].tile.tile_id
    assert found.matches[0].heading_deg == pytest.approx(123.75, abs=360 / 64)
    assert len({match.tile.tile_id for match in found.matches}) == len(found.matches) == 5
    assert (found.exact, found.scanned) == (True, 12)


def test_each_tile_has_its_best_score_over_all_headings(index) -> None:
    photo = panorama(7, 200.0)
    every = [Localizer(FakeEncoder(), index).localize(photo, seen(360 * i / 64), top_k=12) for i in range(64)]
    best = {
        tile: max(hit.score for one in every for hit in one.matches if hit.tile.tile_id == tile)
        for tile in index.tiles.tile_id.tolist()
    }
    found = Localizer(FakeEncoder(), index).localize(photo, seen(None), top_k=3)
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

    Localizer(Counting(), index).localize(panorama(4, 0.0), seen(None))
    assert sizes == [24, 4]  # four, for 64 columns leave no more between two headings


@pytest.mark.parametrize("heading_deg", [0.0, None])
def test_an_area_without_tiles_is_an_error_that_says_so(index, heading_deg) -> None:
    far = CircleRegion(LatLon(-40.0, -100.0), 1000.0)
    with pytest.raises(
        NoTilesInRegion,
        match=r"^none of the 12 tiles of index index touches the given area; they lie in 6\.767\d+, 50\.\d+, 6\.81\d+, "
        r"50\.\d+ \(west, south, east, north\)\. Widen the area, or leave it out \(are .* swapped\?\)$",
    ):
        Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(heading_deg), region=far)


def test_fewer_matches_than_one_are_refused(index) -> None:
    with pytest.raises(BadQuery, match="top_k is 0"):
        Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(), top_k=0)


def test_the_position_does_not_depend_on_how_many_matches_are_wanted(index) -> None:
    localizer = Localizer(FakeEncoder(), index)
    positions = {localizer.localize(panorama(4, 0.0), seen(), top_k=top_k).position for top_k in (1, 5, 12)}
    assert len(positions) == 1


def test_bytes_a_path_and_a_picture_are_one_photo(index, tmp_path) -> None:
    localizer, image = Localizer(FakeEncoder(), index), panorama(4, 0.0)
    path = tmp_path / "photo.png"
    image.save(path)
    answers = [localizer.localize(photo, seen()) for photo in (image, path, str(path), path.read_bytes())]
    assert all(answer.matches == answers[0].matches for answer in answers)
    together = localizer.localize_together([str(path)], [seen()]).found.matches
    assert [match.tile for match in together] == [match.tile for match in answers[0].matches]
    assert [match.score for match in together] == pytest.approx([match.score for match in answers[0].matches], abs=1e-6)


def test_a_square_is_no_panorama(index) -> None:
    square = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 5, 3), np.uint8)).resize((50, 50))
    localizer = Localizer(FakeEncoder(), index)
    assert "does not say how wide it sees" in localizer.localize(square).warnings[0]
    assert localizer.localize(square, seen(fov_deg=70.0)).warnings == ()


@pytest.mark.parametrize("heading", ["known", "unknown"])
def test_what_is_measured_is_what_is_served(index, tmp_path, heading) -> None:
    """The evaluator and the localizer search headings alike: same best tile, same score, same heading."""
    queries, references = [], []
    for row in range(index.count):
        tile = index.tile(row)
        references.append(
            Reference(Path(index.segments[0].source_path) / f"{tile.tile_id}.png", LatLon(tile.lat, tile.lon))
        )
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


def test_matches_are_ranked_tiles_of_the_index_and_what_was_measured_is_told(index) -> None:
    answer = Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(-90.0), top_k=3)
    assert [match.rank for match in answer.matches] == [1, 2, 3]
    assert [match.heading_deg for match in answer.matches] == [270.0] * 3
    hits = Localizer(FakeEncoder(), index).rank_tiles(canvas_of(panorama(4, 0.0), -90.0), heading_deg=270.0).hits
    assert [match.tile for match in answer.matches] == [index.tile(hit.row) for hit in hits[:3]]
    assert [match.score for match in answer.matches] == [hit.score for hit in hits[:3]]
    assert list(answer.seconds) == ["decode", "embed", "search", "total"]
    assert all(value > 0 for value in answer.seconds.values())
    assert sum(answer.seconds.values()) < 2 * answer.seconds["total"] + 1e-9
    assert (answer.exact, answer.scanned, answer.warnings) == (True, 12, ())


def canvas_of(image: Image.Image, heading_deg: float) -> np.ndarray:
    return lay_panorama(image, FakeEncoder().inputs, heading_deg=heading_deg)


def test_where_a_heading_is_unknown_the_canvas_is_laid_as_if_it_looked_north(index) -> None:
    localizer, image = Localizer(FakeEncoder(), index), panorama(4, 45.0)
    answer = localizer.localize(image, seen(None), top_k=12)
    hits = localizer.rank_tiles(canvas_of(image, 0.0), heading_deg=None).hits
    assert [(match.score, match.heading_deg) for match in answer.matches] == [
        (hit.score, hit.heading_deg) for hit in hits
    ]


def test_the_number_of_headings_is_the_localizers(index) -> None:
    sizes = []

    class Counting(FakeEncoder):
        def encode_ground(self, pixels):
            sizes.append(len(pixels))
            return super().encode_ground(pixels)

    localizer = Localizer(Counting(), index, headings=8)
    localizer.localize(panorama(4, 0.0), seen(None))
    localizer.rank_tiles(canvas_of(panorama(4, 0.0), 0.0), heading_deg=None)
    assert sizes == [8, 6, 8, 6]
    assert localizer.headings == 8


def test_the_area_is_searched_and_no_other_tile(index) -> None:
    tile = index.tile(3)
    region = CircleRegion(LatLon(tile.lat, tile.lon), 1.0)
    for heading_deg in (0.0, None):
        answer = Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(heading_deg), region=region)
        assert [match.tile.tile_id for match in answer.matches] == [tile.tile_id]
        assert (answer.scanned, answer.exact) == (1, True)


def test_at_least_as_many_tiles_are_ranked_as_an_estimate_looks_at(tmp_path) -> None:
    index = build_tiny(tmp_path, columns=6, rows=6)
    localizer, canvas = Localizer(FakeEncoder(), index), canvas_of(panorama(4, 0.0), 0.0)
    counts = [len(localizer.rank_tiles(canvas, heading_deg=0.0, top_k=top_k).hits) for top_k in (1, BEST, 30)]
    assert counts == [BEST, BEST, 30]
    assert len(localizer.rank_tiles(canvas, heading_deg=0.0).hits) == BEST
    assert len(localizer.localize(panorama(4, 0.0), top_k=30).matches) == 30
    assert len(localizer.localize(panorama(4, 0.0)).matches) == 5
    for top_k in (0, -1):
        with pytest.raises(BadQuery, match=f"top_k is {top_k}"):
            localizer.rank_tiles(canvas, heading_deg=None, top_k=top_k)


def test_an_approximate_answer_says_so(tmp_path) -> None:
    index = build_tiny(tmp_path, columns=8, rows=8, spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    answer = Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(None))
    assert not answer.exact
    assert 5 <= answer.scanned <= 64


def test_a_caller_may_end_the_work_between_its_steps(index) -> None:
    steps, calls = [], []

    class Noting(FakeEncoder):
        def encode_ground(self, pixels):
            steps.append("embed")
            return super().encode_ground(pixels)

    def check_at(last: int) -> Callable[[], None]:
        def check() -> None:
            calls.append(len(steps))
            if len(calls) == last:
                raise KeyboardInterrupt

        return check

    for last, expected in ((1, []), (2, ["embed"])):
        steps.clear()
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            Localizer(Noting(), index).localize(panorama(4, 0.0), seen(), check=check_at(last))
        assert steps == expected


@pytest.mark.parametrize(("name", "reason"), [("nowhere.jpg", "No such file or directory"), ("", "Is a directory")])
def test_a_photo_that_cannot_be_read_is_named(index, tmp_path, name, reason) -> None:
    localizer, path = Localizer(FakeEncoder(), index), tmp_path / name
    for photo in (path, str(path)):
        with pytest.raises(BadImage) as caught:
            localizer.localize(photo)
        assert str(caught.value) == f"{path} cannot be read: {reason}; give the path of a photo"


def test_photo_with_more_pixels_than_are_taken_is_refused(index, tmp_path) -> None:
    path = tmp_path / "photo.png"
    panorama(4, 0.0).save(path)  # 576 x 64
    with pytest.raises(BadImage, match="pixels"):
        Localizer(FakeEncoder(), index, max_pixels=576 * 64 - 1).localize(path)
    Localizer(FakeEncoder(), index, max_pixels=576 * 64).localize(path)


def test_photos_answered_at_once_are_searched_once_and_fail_alone(index) -> None:
    searches = []

    class Counting(FakeEncoder):
        def encode_ground(self, pixels):
            searches.append(len(pixels))
            return super().encode_ground(pixels)

    localizer = Localizer(Counting(), index)
    nowhere = BoxRegion(Bounds(100.0, 10.0, 101.0, 11.0))
    photos = [localizer.prepare(panorama(seed, 0.0), seen()) for seed in (4, 5)]
    photos.append(localizer.prepare(panorama(4, 0.0), seen(), region=nowhere))
    answers = dict(localizer.answer_each(photos, [1, 7, 3]))
    assert searches == [3]
    assert isinstance(answers[2], NoTilesInRegion)
    for number, top_k in ((0, 1), (1, 7)):
        alone = localizer.answer([photos[number]], top_k=top_k)[0]
        assert [match.tile.tile_id for match in answers[number].matches] == [
            match.tile.tile_id for match in alone.matches
        ]
        assert answers[number].position == alone.position


def test_of_two_areas_one_may_fail_and_the_other_is_answered(index, monkeypatch) -> None:
    search = TileIndex.search
    there, here = (CircleRegion(index.tile(row).bounds.centre, 1.0) for row in (3, 5))

    def failing(self, queries, *, top_k, region):
        if region == there:
            raise IndexDamaged("a block of vectors changed on disk")
        return search(self, queries, top_k=top_k, region=region)

    monkeypatch.setattr(TileIndex, "search", failing)
    localizer = Localizer(FakeEncoder(), index)
    photos = [localizer.prepare(panorama(4, 0.0), seen(), region=region) for region in (there, here, there)]
    answers = dict(localizer.answer_each(photos, [1, 1, 1]))
    assert [type(answers[number]) for number in (0, 2)] == [IndexDamaged, IndexDamaged]
    assert [match.tile for match in answers[1].matches] == [index.tile(5)]


def test_as_many_matches_as_are_asked_for_come_back_where_the_heading_is_known(tmp_path) -> None:
    localizer = Localizer(FakeEncoder(), build_tiny(tmp_path, columns=6, rows=6))
    photos = [localizer.prepare(panorama(seed, 0.0), seen()) for seed in (4, 5)]
    answers = dict(localizer.answer_each(photos, [30, 2]))
    assert [len(answers[number].matches) for number in (0, 1)] == [30, 2]


def test_searching_is_told_with_the_time_that_the_index_took(index, monkeypatch) -> None:
    search = TileIndex.search

    def slow(self, queries, **others):
        time.sleep(0.05)
        return search(self, queries, **others)

    monkeypatch.setattr(TileIndex, "search", slow)
    for heading_deg in (0.0, None):
        answer = Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(heading_deg))
        assert 0.05 <= answer.seconds["search"] <= answer.seconds["total"]


def test_an_area_without_recent_imagery_is_told_by_its_day(index) -> None:
    recent = RecentImagery(datetime.date(2026, 6, 1))
    for heading_deg in (0.0, None):
        with pytest.raises(NoTilesInRegion, match="index index has no imagery since 2026-06-01; it has imagery of no"):
            Localizer(FakeEncoder(), index).localize(panorama(4, 0.0), seen(heading_deg), region=recent)


@pytest.fixture
def calibrated(index, tmp_path):
    """The index with a calibration for panoramas whose heading is known."""
    folder = shutil.copytree(index.folder, tmp_path / "index")
    fitted = replace(CALIBRATION, encoder=index.manifest.encoder["digest"], index=index.digest)
    write_calibration(folder, fitted, b"png")
    return TileIndex.open(folder)


def test_a_confidence_is_given_where_it_was_fitted_on_questions_like_this_one(calibrated) -> None:
    localizer = Localizer(FakeEncoder(), calibrated)
    assert len(localizer.calibrations.each) == 1
    everywhere = CircleRegion(calibrated.tiles.bounds.centre, 1e6)
    cases = [
        (panorama(4, 0.0), seen(0.0), None, True),
        (panorama(4, 0.0), seen(12.0), None, True),
        (panorama(4, 0.0), seen(None), None, False),
        (panorama(4, 0.0), seen(0.0, fov_deg=90.0), None, False),
        (panorama(4, 0.0), seen(0.0), everywhere, True),
        (picture(4, 50), seen(0.0), None, False),  # a square is no panorama
    ]
    for image, given, region, sure in cases:
        position = localizer.localize(image, given, region=region).position
        assert (position.confidence is not None) == sure, given
    fewer = Localizer(FakeEncoder(), calibrated, headings=8)
    assert fewer.localize(panorama(4, 0.0), seen()).position.confidence is not None


def test_without_a_confidence_the_reason_is_given(calibrated, index) -> None:
    def reason(index: TileIndex, image: Image.Image, region: object = None) -> str | None:
        localizer = Localizer(FakeEncoder(), index)
        prepared = localizer.prepare(image, seen(), region=region)
        found = localizer._calibration_for(prepared, prepared.warnings)
        return found if isinstance(found, str) else None

    assert reason(calibrated, panorama(4, 0.0)) is None
    assert reason(calibrated, picture(4, 50)) == "see the warning"
    recent = "recent imagery alone was searched, and the index is calibrated with all of it"
    assert reason(calibrated, panorama(4, 0.0), RecentImagery(datetime.date(2026, 1, 1))) == recent
    assert reason(index, panorama(4, 0.0)) == Localizer(FakeEncoder(), index).calibrations.why_none(
        Conditions.of(0.0, 360.0, headings=24, reranked=0)
    )


def test_an_encoder_that_did_not_build_the_index_is_refused(index) -> None:
    with pytest.raises(IndexMismatch, match="from other"):
        Localizer(FakeEncoder("other"), index)


def test_opening_takes_what_the_constructor_takes(tmp_path) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    encoder = Encoder.load(str(bundle), device="cpu")
    build_tiny(tmp_path, encoder=encoder)
    for folder in (tmp_path / "index", str(tmp_path / "index")):
        opened = Localizer.open(folder, checkpoint=str(bundle), device="cpu", headings=6, max_pixels=100)
        assert (opened.encoder.digest, opened.index.count, opened.headings) == (encoder.digest, 12, 6)
        with pytest.raises(BadImage, match="pixels"):
            opened.localize(png(panorama(4, 0.0)))
    with pytest.raises(BadCheckpoint, match="no-such-bundle"):
        Localizer.open(tmp_path / "index", checkpoint="no-such-bundle", device="cpu")
    with pytest.raises(BadConfig, match="warp"):
        Localizer.open(tmp_path / "index", checkpoint=str(bundle), device="warp")


def test_opening_says_how_to_search_and_what(tmp_path) -> None:
    bundle = str(write_bundle(tmp_path / "bundle"))
    lists = BuildSpec(search=SearchSpec(latency_ms=0))
    build_tiny(tmp_path, columns=8, rows=8, encoder=Encoder.load(bundle, device="cpu"), spec=lists)
    folder = tmp_path / "index"
    for exact in (False, True):
        opened = Localizer.open(folder, checkpoint=bundle, device="cpu", exact=exact)
        assert (opened.index.segments[0].exact, opened.reranked, opened.reranker) == (exact, 0, None)
    assert not Localizer.open(folder, checkpoint=bundle, device="cpu").index.segments[0].exact
    with pytest.raises(BadQuery, match="no imagery since 2026-01-01; it has imagery of no date"):
        Localizer.open(folder, checkpoint=bundle, device="cpu", since=datetime.date(2026, 1, 1))
    with pytest.raises(BadQuery, match="has one vector a tile"):
        Localizer.open(folder, checkpoint=bundle, device="cpu", rerank=5)
    with pytest.raises(BadConfig, match="steam"):
        Localizer.open(folder, checkpoint=bundle, device="cpu", engine="steam")


def test_opening_without_more_takes_the_packaged_encoder_and_whatever_device_there_is(index) -> None:
    with pytest.raises(IndexMismatch, match="this encoder makes 512-d from street"):
        Localizer.open(index.folder)


def test_what_a_photo_says_of_itself_is_taken(index) -> None:
    tagged = photo_files.photo("JPEG", (576, 64), xmp=photo_files.gpano(PoseHeadingDegrees=90.0))
    prepared = Localizer(FakeEncoder(), index).prepare(tagged)
    assert (prepared.view.heading_deg, prepared.view.heading_source) == (90.0, "photo")


def test_a_large_photo_is_decoded_no_larger_than_the_canvas_wants(index) -> None:
    inputs = FakeEncoder().inputs
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (512, 1024, 3), np.uint8))
    large = photo_files.photo("JPEG", picture=noise)
    canvas = Localizer(FakeEncoder(), index).prepare(large, seen()).canvas
    small = decode_image(large, at_least_px=inputs.ground_decode_px)
    assert small.width < 1024
    assert (canvas == lay_panorama(small, inputs, heading_deg=0.0)).all()
    assert (canvas != lay_panorama(decode_image(large), inputs, heading_deg=0.0)).any()


class Slow(FakeEncoder):
    """Takes fifty milliseconds and more, and notes how many pictures it is given and how long it took."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []
        self.took_s = 0.0

    def encode_ground(self, pixels):
        began = time.perf_counter()
        time.sleep(0.05)
        self.given.append(len(pixels))
        vectors = super().encode_ground(pixels)
        self.took_s += time.perf_counter() - began
        return vectors


@pytest.mark.parametrize("headings", [(0.0, 90.0), (None, None), (0.0, None)])
def test_what_is_said_to_have_taken_time_took_it(index, headings) -> None:
    localizer = Localizer(Slow(), index)
    began = time.perf_counter()
    prepared = [localizer.prepare(panorama(4, 0.0), seen(heading_deg)) for heading_deg in headings]
    assert sum(one.seconds for one in prepared) <= time.perf_counter() - began
    answers = localizer.answer(prepared)
    took_s = time.perf_counter() - began
    for one, asked in zip(answers, prepared, strict=True):
        assert list(one.seconds) == ["decode", "embed", "search", "total"]
        assert one.seconds["decode"] == asked.seconds
        assert sum(one.seconds[step] for step in ("decode", "embed", "search")) <= one.seconds["total"]
    assert localizer.encoder.took_s <= sum(one.seconds["embed"] for one in answers) <= took_s
    assert sum(one.seconds["total"] for one in answers) <= took_s
    assert [one.view for one in answers] == [asked.view for asked in prepared]


def test_photos_of_known_heading_are_embedded_and_searched_together(index, monkeypatch) -> None:
    asked, search = [], TileIndex.search

    def noting(self, queries, **others):
        asked.append(len(queries))
        return search(self, queries, **others)

    monkeypatch.setattr(TileIndex, "search", noting)
    localizer = Localizer(Slow(), index)
    photos = [localizer.prepare(panorama(seed, 0.0), seen()) for seed in (4, 7, 2)]
    answers = localizer.answer(photos)
    assert (localizer.encoder.given, asked) == ([3], [3])
    alone = [localizer.localize(panorama(seed, 0.0), seen()) for seed in (4, 7, 2)]
    assert [answer.matches for answer in answers] == [answer.matches for answer in alone]


def test_five_matches_are_given_where_no_number_is_asked_for(index) -> None:
    localizer = Localizer(FakeEncoder(), index)
    prepared = localizer.prepare(panorama(4, 0.0), seen())
    assert len(localizer.answer([prepared])[0].matches) == 5
    assert len(localizer.answer_together([prepared]).found.matches) == 5
    assert len(localizer.localize_together([panorama(4, 0.0)]).found.matches) == 5


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()

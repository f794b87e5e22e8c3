import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import BadQuery, IndexDamaged, IndexMismatch, IndexVersion, NoSuchIndex
from indexer.index import tile_index
from indexer.index.index_manifest import IndexManifest
from indexer.index.manifest import FileEntry, Manifest
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex, _open_segments
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.region import BoxRegion, CircleRegion
from indexer.tiles.sources.open_source import open_source
from model.common.geo import EARTH_RADIUS_M, Bounds, LatLon, great_circle_m
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, build_tiny, encoded, make_tiles, vector_of


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("folder"))


@pytest.fixture
def copied(index: TileIndex, tmp_path: Path) -> Path:
    return Path(shutil.copytree(index.folder, tmp_path / "index"))


def test_a_tile_finds_itself_all_the_way_from_its_picture(index: TileIndex) -> None:
    for column in range(4):
        for row in range(3):
            (result,) = index.search(vector_of(column * 3 + row), top_k=1)
            assert index.tile(int(result.rows[0])).tile_id == f"15/{LEFT + column}/{TOP + row}"
            assert result.scores[0] > 0.998
            assert result.exact


def test_rows_lie_along_the_curve(index: TileIndex) -> None:
    tiles = [index.tile(row) for row in range(index.count)]
    steps = [great_circle_m(a.bounds.centre, b.bounds.centre) for a, b in pairwise(tiles)]
    assert max(steps) < 2.5 * index.manifest.tile_size_m[0]
    assert (np.diff(index.tiles.curve_keys) > 0).all()


def test_a_region_limits_the_search(index: TileIndex) -> None:
    here = index.tile(5)
    (result,) = index.search(vector_of(0), top_k=100, region=CircleRegion(here.bounds.centre, 1.0))
    assert result.rows.tolist() == [5]
    (result,) = index.search(vector_of(0), top_k=5, region=BoxRegion(Bounds(0.0, 0.0, 1.0, 1.0)))
    assert (result.rows.tolist(), result.scanned) == ([], 0)


def test_many_queries_are_answered_in_order(index: TileIndex) -> None:
    queries = np.concatenate([vector_of(seed) for seed in (7, 2)])
    ids = [index.tile(int(result.rows[0])).tile_id for result in index.search(queries, top_k=2)]
    assert ids == [f"15/{LEFT + 2}/{TOP + 1}", f"15/{LEFT}/{TOP + 2}"]


@pytest.mark.parametrize("top_k", [0, -3])
def test_a_top_k_below_one_is_refused(index: TileIndex, top_k: int) -> None:
    with pytest.raises(BadQuery, match="top_k"):
        index.search(vector_of(0), top_k=top_k)


def test_a_huge_top_k_gives_every_tile(index: TileIndex) -> None:
    (result,) = index.search(vector_of(0), top_k=10**9)
    assert sorted(result.rows.tolist()) == list(range(12))


@pytest.mark.parametrize("query", [np.zeros((1, 5)), np.zeros(27), np.zeros((0, 27)), np.full((1, 27), np.nan)])
def test_queries_of_another_shape_or_not_finite_are_refused(index: TileIndex, query: np.ndarray) -> None:
    with pytest.raises(BadQuery, match="quer"):
        index.search(query, top_k=1)


def test_another_encoder_is_refused(index: TileIndex) -> None:
    index.require_encoder(FakeEncoder())
    with pytest.raises(IndexMismatch, match=r"vectors from fake .* from other .*Rebuild"):
        index.require_encoder(FakeEncoder("other"))
    coarse = FakeEncoder()
    coarse.numbers = "int8"
    with pytest.raises(IndexMismatch, match=r"numeric family float; this encoder makes int8 ones.*Rebuild"):
        index.require_encoder(coarse)


def test_a_tiles_picture_comes_from_its_source(index: TileIndex) -> None:
    image = index.tile_image(15, LEFT + 1, TOP + 2)
    assert image is not None
    assert (image.data, image.media_type) == (encoded(5), "image/png")
    for absent in ((15, LEFT + 9, TOP), (14, LEFT, TOP), (40, 0, 0), (15, -1, 0)):
        assert index.tile_image(*absent) is None


def test_without_its_source_an_index_still_searches(copied: Path) -> None:
    alone = TileIndex.open(copied)
    assert alone.segments[0].source is None
    assert not alone.has_pictures
    assert alone.tile_image(15, LEFT, TOP) is None
    assert len(alone.search(vector_of(0), top_k=3)[0].rows) == 3


def test_tiles_and_index_can_move_together(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder.parent, tmp_path / "moved")
    assert TileIndex.open(tmp_path / "moved" / "index").tile_image(15, LEFT, TOP) is not None


def test_there_is_no_row_beyond_the_last(index: TileIndex) -> None:
    with pytest.raises(BadQuery, match="rows 0 to 11"):
        index.tile(12)


@pytest.mark.parametrize("name", ["manifest.json", "tiles.parquet", "embeddings.npy"])
@pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
def test_a_flipped_byte_is_noticed(copied: Path, name: str, place: float) -> None:
    data = bytearray((copied / name).read_bytes())
    data[int(len(data) * place)] ^= 0x04
    (copied / name).write_bytes(bytes(data))
    with pytest.raises((IndexDamaged, IndexVersion)):
        TileIndex.open(copied)


@pytest.mark.parametrize("name", ["manifest.json", "tiles.parquet", "embeddings.npy"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(IndexDamaged, match=f"{name} is missing"):
        TileIndex.open(copied)


def test_a_truncated_file_is_noticed_without_hashing(copied: Path) -> None:
    path = copied / "embeddings.npy"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(IndexDamaged, match="bytes, the manifest says"):
        TileIndex.open(copied)


def test_a_newer_format_is_refused(copied: Path) -> None:
    path = copied / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(IndexVersion, match="99"):
        TileIndex.open(copied)


def test_a_folder_that_is_no_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(IndexDamaged, match="file is no index, or not a whole one"):
        TileIndex.open(tmp_path / "file")
    with pytest.raises(IndexDamaged, match="no index, or not a whole one"):
        TileIndex.open(tmp_path)
    with pytest.raises(NoSuchIndex, match=r"there is no index folder .*nowhere; give the folder") as caught:
        TileIndex.open(tmp_path / "nowhere")
    assert isinstance(caught.value, FileNotFoundError)


def test_an_index_says_what_it_is(index: TileIndex) -> None:
    assert (index.name, index.count, index.dim, index.anchors) == ("index", 12, 27, 1)
    assert index.folder.is_absolute()
    assert index.digest == index.manifest.digest
    assert index.segments[0].source_path == index.folder.parent / index.segments[0].manifest.source["path"]
    assert isinstance(index.segments[0].vectors, np.memmap)


def test_a_mismatch_names_both_encoders_by_their_length_and_digest(index: TileIndex) -> None:
    other = FakeEncoder("other")
    other.dim = 5
    fake = FakeEncoder().digest[:12]
    with pytest.raises(IndexMismatch) as caught:
        index.require_encoder(other)
    assert str(caught.value) == (
        f"index {index.folder} holds 27-d vectors from fake ({fake}); this encoder makes 5-d from other "
        f"({other.digest[:12]}). Rebuild it with `python -m indexer build`, or load the matching weights"
    )


@pytest.mark.parametrize("change", [{"dim": 5}, {"digest": "0" * 64}])
def test_an_encoder_that_differs_in_one_thing_is_refused(index: TileIndex, change: dict[str, object]) -> None:
    other = FakeEncoder()
    vars(other).update(change)
    with pytest.raises(IndexMismatch):
        index.require_encoder(other)


def test_what_is_refused_says_the_value_and_what_is_wanted(index: TileIndex) -> None:
    for query, reason in (
        (np.zeros((1, 5)), r"^queries have shape \(1, 5\); this index wants \[Q, 27\]$"),
        (np.full((1, 27), np.inf), "^a query holds NaN or infinity; the encoder's output must be finite unit vectors$"),
    ):
        with pytest.raises(BadQuery, match=reason):
            index.search(query, top_k=1)
    with pytest.raises(BadQuery, match=r"^top_k is 0; give at least 1$"):
        index.search(vector_of(0), top_k=0)
    with pytest.raises(BadQuery, match=r"^row -1 is not in the index; it has rows 0 to 11$"):
        index.tile(-1)


def test_any_kind_of_floats_is_searched_and_the_first_and_last_row_are_tiles(index: TileIndex) -> None:
    expected = index.search(vector_of(4), top_k=3)[0].rows.tolist()
    both = np.concatenate([vector_of(4), vector_of(4)]).astype(np.float64)
    for query in (both[:1], both[::2], np.asfortranarray(both)):
        assert index.search(query, top_k=3)[0].rows.tolist() == expected
    assert [index.tile(row).tile_id for row in (0, 11)] == [index.tiles.tile_id[0], index.tiles.tile_id[11]]


def test_a_search_says_how_many_tiles_it_compared(index: TileIndex) -> None:
    (everywhere,) = index.search(vector_of(0), top_k=2)
    assert (everywhere.scanned, everywhere.exact, len(everywhere.rows)) == (12, True, 2)
    here, there = (CircleRegion(index.tile(row).bounds.centre, 1.0) for row in (0, 5))
    assert [index.search(vector_of(0), top_k=2, region=one)[0].scanned for one in (here, there)] == [1, 1]


def test_every_tile_is_found_by_its_address_and_no_other(index: TileIndex) -> None:
    for row in range(index.count):
        tile = index.tile(row)
        assert index.row_of(tile.z, tile.x, tile.y) == row
    for absent in ((-1, 0, 0), (31, 0, 0), (15, 1 << 15, TOP), (15, LEFT, 1 << 15), (15, LEFT, -1), (16, LEFT, TOP)):
        assert index.row_of(*absent) is None
    assert index.row_of(14, LEFT // 2, TOP // 2) is None  # it lies above tiles of the index


def test_a_folder_may_be_named_by_text(tmp_path: Path) -> None:
    build_index(open_source(str(make_tiles(tmp_path / "tiles"))), FakeEncoder(), str(tmp_path / "index"))
    assert TileIndex.open(str(tmp_path / "index")).count == 12


def test_the_whole_world_in_one_tile_has_an_address(tmp_path: Path) -> None:
    (tmp_path / "tiles/0/0").mkdir(parents=True)
    (tmp_path / "tiles/0/0/0.png").write_bytes(encoded(1))
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=BuildSpec())
    assert TileIndex.open(tmp_path / "index").row_of(0, 0, 0) == 0


def test_the_smallest_tile_there_can_be_has_an_address(tmp_path: Path) -> None:
    z, x, y = MAX_ZOOM, 1 << 28, (1 << 28) + 5
    (tmp_path / f"tiles/{z}/{x}").mkdir(parents=True)
    (tmp_path / f"tiles/{z}/{x}/{y}.png").write_bytes(encoded(1))
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=BuildSpec())
    assert TileIndex.open(tmp_path / "index").row_of(z, x, y) == 0


def test_a_place_is_covered_where_a_tile_lies_to_the_centimetre(index: TileIndex) -> None:
    bounds = index.tiles.bounds
    metre = float(np.degrees(1 / EARTH_RADIUS_M))
    assert index.covers(bounds.centre)
    for north_m, covered in ((-1.0, True), (0.009, True), (0.05, False), (0.9, False)):
        assert index.covers(LatLon(bounds.north + north_m * metre, bounds.centre.lon)) == covered


def test_the_point_of_the_centre_is_the_tiles_to_the_bit(index: TileIndex) -> None:
    for row in range(index.count):
        assert index.point(row, 0) == LatLon(float(index.tiles.lat[row]), float(index.tiles.lon[row]))


def test_closing_stops_the_threads_and_the_source(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder.parent, tmp_path / "all")
    for used in (False, True):
        opened, closed = TileIndex.open(tmp_path / "all" / "index"), []
        if used:
            assert opened.segments[0].source is opened.segments[0].source is not None
            opened.segments[0].source.close = lambda closed=closed: closed.append(True)
        opened.close()
        assert closed == [True] * used
        with pytest.raises(RuntimeError, match="after shutdown"):
            opened.segments[0]._scan._pool.submit(print)


def test_an_index_whose_source_is_gone_is_closed_like_any_other(copied: Path) -> None:
    alone = TileIndex.open(copied)
    assert not alone.has_pictures
    alone.close()


def test_a_tile_that_cannot_be_read_has_no_picture(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder.parent, tmp_path / "all")
    opened = TileIndex.open(tmp_path / "all" / "index")
    (tmp_path / "all" / "tiles" / "15" / str(LEFT) / f"{TOP}.png").unlink()
    (tmp_path / "all" / "tiles" / "15" / str(LEFT) / f"{TOP + 1}.png").write_bytes(b"no picture")
    assert opened.tile_image(15, LEFT, TOP) is None
    assert opened.tile_image(15, LEFT, TOP + 1) is None
    assert opened.tile_image(15, LEFT, TOP + 2) is not None


def test_an_approximate_search_compares_some_tiles_and_one_in_a_region_all(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, columns=8, rows=8, spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    queries = np.concatenate([vector_of(seed) for seed in (7, 40)])
    results = index.search(queries, top_k=3)
    for query, result in zip(queries, results, strict=True):
        assert (result.exact, len(result.rows)) == (False, 3)
        assert 3 <= result.scanned <= 64
        best = index.segments[0].vectors[result.rows].astype(np.float64) @ query.astype(np.float64)
        assert result.scores.tolist() == best.astype(np.float32).tolist()
        assert (np.diff(result.scores) <= 0).all()
    everywhere = BoxRegion(Bounds(-180.0, -90.0, 180.0, 90.0))
    assert [(one.exact, one.scanned) for one in index.search(queries, top_k=3, region=everywhere)] == [(True, 64)] * 2


def agree(folder: Path) -> None:
    """Make the manifest say what the vectors' file now is, so that only its content is wrong."""
    manifest = Manifest.read(folder)
    entry = FileEntry.of(folder / "embeddings.npy")
    replace(manifest, files={**manifest.files, "embeddings.npy": entry}).write(folder)


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (
            np.zeros((11, 27), np.float16),
            r"has 12 tiles and vectors \(11, 27\); its manifest says 12 tiles of 27 numbers",
        ),
        (np.zeros((12, 54), np.float16), r"vectors \(12, 54\); its manifest says 12 tiles of 27 numbers\. Rebuild"),
        (np.zeros((12, 27), np.float32), r"embeddings\.npy is float32 \(12, 27\); expected float16 \[N, D\], rebuild"),
        (np.zeros(324, np.float16), r"embeddings\.npy is float16 \(324,\); expected float16"),
        (np.array([{}]), "embeddings.npy is no NumPy array: .*; rebuild the index"),
    ],
)
def test_vectors_of_another_shape_or_kind_are_named(copied: Path, vectors: np.ndarray, reason: str) -> None:
    np.save(copied / "embeddings.npy", vectors)
    agree(copied)
    with pytest.raises(IndexDamaged, match=reason):
        TileIndex.open(copied)


def test_a_tiles_picture_is_read_no_larger_than_it_is_wanted(tmp_path: Path) -> None:
    source = make_tiles(tmp_path / "tiles", 2, 2)
    for path in source.rglob("*.png"):
        large = Image.open(path).resize((512, 512))
        path.unlink()
        large.save(path.with_suffix(".jpg"))
    build_index(open_source(source), FakeEncoder(), tmp_path / "index")
    index = TileIndex.open(tmp_path / "index")
    whole, small = index.picture(3), index.picture(3, at_least_px=(64, 64))
    assert whole is not None
    assert small is not None
    assert (whole.size, small.size) == ((512, 512), (64, 64))
    other = index.picture(0)
    assert other is not None
    assert np.abs(np.asarray(whole, float) - np.asarray(other, float)).mean() > 5


def test_an_index_is_current_until_it_changes(copied: Path) -> None:
    opened = TileIndex.open(copied)
    assert opened.is_current
    manifest = Manifest.read(copied)
    replace(manifest, written_by="another").write(copied)
    assert not opened.is_current


def changing_while_it_is_opened(monkeypatch: pytest.MonkeyPatch, folder: Path, times: int) -> None:
    """The first openings find that another program has just put a new version in the folder's place."""
    left = iter(range(times))

    def opening(*given: object, **options: object) -> object:
        for number in left:
            replace(Manifest.read(folder), written_by=f"version {number}").write(folder)
            raise IndexDamaged(f"a file of version {number - 1} is missing")
        return _open_segments(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tile_index, "_open_segments", opening)


def test_an_index_that_changes_while_it_is_opened_is_opened_as_it_is_then(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing_while_it_is_opened(monkeypatch, copied, 4)
    opened = TileIndex.open(copied)
    assert opened.segments[0].manifest.written_by == "version 3"
    assert opened.is_current
    changing_while_it_is_opened(monkeypatch, copied, 5)
    with pytest.raises(IndexDamaged, match="a file of version 3 is missing"):
        TileIndex.open(copied)


def test_an_index_that_is_damaged_and_does_not_change_is_refused_at_once(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    def opening(*given: object, **_: object) -> object:
        tries.append(given)
        raise IndexDamaged("a file is missing")

    monkeypatch.setattr(tile_index, "_open_segments", opening)
    with pytest.raises(IndexDamaged, match="a file is missing"):
        TileIndex.open(copied)
    assert len(tries) == 1


def test_lists_are_left_aside_where_every_tile_is_to_be_compared(tmp_path: Path) -> None:
    build_tiny(tmp_path, columns=8, rows=8, spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    for exact in (False, True):
        opened = TileIndex.open(tmp_path / "index", exact=exact)
        (found,) = opened.search(vector_of(7), top_k=1)
        assert (found.exact, found.scanned == 64) == (exact, exact)


def test_a_segment_in_the_place_of_another_is_named(copied: Path, tmp_path: Path) -> None:
    other = build_tiny(tmp_path / "other", columns=2).manifest
    IndexManifest.of_segments({"segment.json": Manifest.read(copied)}).write(tmp_path)
    (copied / "manifest.json").rename(copied / "segment.json")
    listed = IndexManifest.of_segments({"segment.json": Manifest.read(copied, "segment.json")})
    (wrong,) = (replace(one, digest=other.digest) for one in listed.segments)
    replace(listed, segments=(wrong,)).write(copied)
    own = listed.segments[0].digest
    wanted = (
        f"{copied / 'segment.json'} is of segment {own[:12]}, {copied / 'manifest.json'} names {other.digest[:12]}; "
        "restore the index"
    )
    with pytest.raises(IndexDamaged) as raised:
        TileIndex.open(copied)
    assert str(raised.value) == wanted

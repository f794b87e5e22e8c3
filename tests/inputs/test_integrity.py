"""A damaged index is refused before a damaged byte can win a search, whatever the size of its files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import IndexDamaged
from indexer.index.exact_search import ExactScan
from indexer.index.integrity import BlockCheck, write_block_digests
from indexer.index.manifest import BLOCKS, EMBEDDINGS, SEARCH, TILES, Manifest
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import changing
from indexer.lifecycle.remove import remove_tiles
from indexer.tiles.region import BoxRegion, CircleRegion
from indexer.tiles.sources.open_source import open_source
from model.common.atomic_io import canonical_json, sha256_bytes
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.tiny import build_tiny, make_tiles, vector_of

BLOCK = 128
ANCHORED = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of any size are treated as those above 256 MB, in blocks of a few vectors."""
    monkeypatch.setattr("indexer.index.segment_writer.HASHED_AT_ONCE_BYTES", 0)
    monkeypatch.setattr("indexer.index.segment.HASHED_AT_ONCE_BYTES", 0)
    monkeypatch.setattr("indexer.index.integrity.BLOCK_BYTES", BLOCK)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(bytes(data))


def around(index: TileIndex, row: int) -> CircleRegion:
    """An area that holds this tile only."""
    return CircleRegion(index.tile(row).bounds.centre, 1.0)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("place", [130, 400, -2])
def test_a_flipped_byte_of_a_large_file_is_found_before_it_answers(tmp_path: Path, place: int) -> None:
    index = build_tiny(tmp_path, 5, 5)
    assert (index.folder / BLOCKS).stat().st_size % 32 == 0
    assert index.search(vector_of(7), top_k=1)[0].scores[0] > 0.99
    index.close()
    flip(index.folder / EMBEDDINGS, place)
    damaged = TileIndex.open(index.folder)
    for seed in range(25):
        with pytest.raises(IndexDamaged, match=r"embeddings\.npy differs .* between byte"):
            damaged.search(vector_of(seed), top_k=3)
    damaged.close()


@pytest.mark.usefixtures("everything_is_large")
def test_the_background_finds_what_no_search_has_touched(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, 5, 5)
    index.close()
    flip(index.folder / EMBEDDINGS, -2)
    damaged = TileIndex.open(index.folder)
    with pytest.raises(IndexDamaged, match=r"embeddings\.npy differs"):
        damaged.wait_until_checked()
    with pytest.raises(IndexDamaged, match=r"embeddings\.npy differs"):
        damaged.search(vector_of(0), top_k=1, region=around(damaged, 0))
    damaged.close()


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("mask", [0x01, 0x02, 0x40, 0x80])
@pytest.mark.parametrize("place", [0, 6, 8, 9, 10, 60, 127])
def test_a_header_that_shifts_all_vectors_is_found_when_the_index_is_opened(
    tmp_path: Path, place: int, mask: int
) -> None:
    index = build_tiny(tmp_path, 5, 5)
    index.close()
    data = bytearray((index.folder / EMBEDDINGS).read_bytes())
    data[place] ^= mask  # of byte 8, the length of the header, 0x02 makes every vector begin two bytes early
    (index.folder / EMBEDDINGS).write_bytes(bytes(data))
    with pytest.raises(IndexDamaged, match=r"embeddings\.npy"):
        TileIndex.open(index.folder)


@pytest.mark.usefixtures("everything_is_large")
def test_the_table_of_tiles_is_hashed_when_it_is_opened_whatever_its_size(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    index.close()
    flip(index.folder / "tiles.parquet", 0)  # where no reader looks
    with pytest.raises(IndexDamaged, match=r"tiles\.parquet has SHA-256"):
        TileIndex.open(index.folder)


@pytest.mark.usefixtures("everything_is_large")
def test_the_background_hashes_the_other_files_too(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 20, 20))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    flip(tmp_path / "index" / SEARCH, -2)
    damaged = TileIndex.open(tmp_path / "index")
    with pytest.raises(IndexDamaged, match=r"search\.faiss has SHA-256"):
        damaged.wait_until_checked()
    with pytest.raises(IndexDamaged, match=r"search\.faiss has SHA-256"):
        damaged.search(vector_of(0), top_k=1, region=BoxRegion(damaged.tile(0).bounds))  # which has no use for it
    damaged.close()


@pytest.mark.usefixtures("everything_is_large")
def test_who_wants_all_files_hashed_at_once_needs_no_background(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    index.close()
    assert TileIndex.open(index.folder, verify=True).segments[0]._background is None


def test_a_file_of_the_very_size_is_hashed_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build_tiny(tmp_path).folder
    assert TileIndex.open(folder).segments[0]._background is None
    monkeypatch.setattr("indexer.index.segment.HASHED_AT_ONCE_BYTES", (folder / EMBEDDINGS).stat().st_size)
    flip(folder / EMBEDDINGS, -2)
    with pytest.raises(IndexDamaged, match="SHA-256"):
        TileIndex.open(folder)


class Noting(BlockCheck):
    """Also notes the runs of bytes that it was asked for."""

    def require(self, starts: np.ndarray, stops: np.ndarray) -> None:
        self.asked = list(zip(starts.tolist(), stops.tolist(), strict=True))
        super().require(starts, stops)


@pytest.mark.usefixtures("everything_is_large")
def test_the_bytes_of_the_tiles_that_are_compared_are_checked_and_no_others(tmp_path: Path) -> None:
    header, row = 128, 9 * 27 * 2
    for kind, latency_ms in (("exact", 1e9), ("ivf", 0)):
        encoder, spec = FakeEncoder(inputs=ANCHORED), BuildSpec(search=SearchSpec(latency_ms=latency_ms))
        index = build_tiny(tmp_path / kind, 8, 8, encoder=encoder, spec=spec)
        index.segments[0]._blocks = check = Noting(index.folder / EMBEDDINGS, index.folder / BLOCKS)
        for number in (0, 5):
            index.search(vector_of(number), top_k=1, region=around(index, number))
            assert check.asked == [(header + number * row, header + (number + 1) * row)]
            index.score_all(vector_of(number), region=around(index, number))
            assert check.asked == [(header + number * row, header + (number + 1) * row)]
        (found,) = index.search(vector_of(5), top_k=3)
        assert sum(stop - start for start, stop in check.asked) == found.scanned * row
        bytes_of = [range(header + at * row, header + (at + 1) * row) for at in found.rows.tolist()]
        assert all(any(r.start >= a and r.stop <= b for a, b in check.asked) for r in bytes_of)
        index.close()


@pytest.mark.usefixtures("everything_is_large")
def test_candidates_of_an_approximate_search_are_checked_too(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 20, 20))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    flip(tmp_path / "index" / EMBEDDINGS, 300)
    damaged = TileIndex.open(tmp_path / "index")
    with pytest.raises(IndexDamaged):
        damaged.search(vector_of(123), top_k=400)
    damaged.close()


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_lists_of_an_approximate_index_are_checked_before_they_propose(tmp_path: Path, share: float) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 20, 20))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    flip(tmp_path / "index" / SEARCH, int(share * (tmp_path / "index" / SEARCH).stat().st_size))
    damaged = TileIndex.open(tmp_path / "index")
    with pytest.raises(IndexDamaged, match=r"search\.faiss"):
        damaged.search(vector_of(123), top_k=3)
    damaged.close()


@pytest.mark.usefixtures("everything_is_large")
def test_the_table_of_places_is_checked_whatever_its_size(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, 5, 5)
    index.close()
    flip(index.folder / TILES, (index.folder / TILES).stat().st_size // 2)
    with pytest.raises(IndexDamaged, match=r"tiles\.parquet has SHA-256"):
        TileIndex.open(index.folder)


def test_only_the_blocks_that_are_used_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.integrity.BLOCK_BYTES", BLOCK)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 5)
    write_block_digests(path, tmp_path / "digests")
    flip(path, 5 * BLOCK + 1)
    check = BlockCheck(path, tmp_path / "digests")
    check.require(np.array([0, 6 * BLOCK]), np.array([5 * BLOCK, 7 * BLOCK]))
    assert not check.complete
    for start, stop in ((5 * BLOCK - 1, 5 * BLOCK + 1), (0, 1280), (6 * BLOCK - 1, 6 * BLOCK)):
        with pytest.raises(IndexDamaged, match="between byte 640 and 768"):
            check.require(np.array([start]), np.array([stop]))


@pytest.mark.usefixtures("everything_is_large")
def test_digests_that_do_not_fit_their_file_are_refused(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    index.close()
    (index.folder / BLOCKS).write_bytes((index.folder / BLOCKS).read_bytes()[:-32])
    with pytest.raises(IndexDamaged):
        TileIndex.open(index.folder, verify=True)


@pytest.mark.parametrize("value", [60_000.0, np.inf, -np.inf, 3.0, -3.0])
def test_a_vector_that_is_no_unit_vector_cannot_win(value: float) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = vectors.astype(np.float16)
    query = vectors[17:18]
    stored[1234] = np.float16(value) * np.sign(query[0]).astype(np.float16)
    scan = ExactScan(stored)
    if value > 0:
        with pytest.raises(IndexDamaged, match="vector 1234 of the index scores"):
            scan.search(query, np.array([[0, 3000]]), top_k=5)
    else:
        ((scores, rows),) = scan.search(query, np.array([[0, 3000]]), top_k=5)
        assert rows[0] == 17
        assert scores.max() <= 1.0
    scan.close()


@pytest.mark.parametrize("count", [4, 3000])
def test_a_vector_of_nan_is_never_an_answer(count: int) -> None:
    stored = np.eye(count, 16, dtype=np.float16)
    stored[:, 0] += stored.sum(axis=1) == 0
    stored[1] = np.nan
    scan = ExactScan(stored)
    ((scores, rows),) = scan.search(np.eye(16, dtype=np.float32)[:1], np.array([[0, count]]), top_k=count)
    assert 1 not in rows
    assert np.isfinite(scores).all()
    scan.close()


def test_no_score_exceeds_one(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, 8, 8)
    for seed in range(64):
        assert index.search(vector_of(seed), top_k=64)[0].scores.max() <= 1.0
    index.close()


@pytest.mark.parametrize("cut", [1, 2, 3, 20, 200])
def test_a_manifest_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    index = build_tiny(tmp_path)
    path = index.folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(IndexDamaged, match=r"manifest\.json"):
        TileIndex.open(index.folder)


@pytest.mark.parametrize("change", [lambda data: data + b"\n", lambda data: data.replace(b"\n", b"\r\n")])
def test_a_manifest_that_is_not_byte_for_byte_what_was_written_is_refused(tmp_path: Path, change: object) -> None:
    index = build_tiny(tmp_path)
    path = index.folder / "manifest.json"
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(IndexDamaged, match="not byte for byte what was written"):
        TileIndex.open(index.folder)


def as_format_2(folder: Path) -> None:
    """Rewrite a manifest as the version before wrote it."""
    content = json.loads((folder / "manifest.json").read_bytes())
    content = {key: value for key, value in content.items() if key not in ("blocks", "checksum", "digest")}
    content["version"] = 2
    digest = sha256_bytes(canonical_json(content))
    (folder / "manifest.json").write_bytes(canonical_json(content | {"digest": digest}))


def test_an_index_of_the_format_before_is_still_opened(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    expected = index.search(vector_of(5), top_k=3)[0]
    as_format_2(index.folder)
    old = TileIndex.open(index.folder)
    assert old.segments[0].manifest.version == 2
    assert old.digest == json.loads((index.folder / "manifest.json").read_bytes())["digest"]
    assert old.search(vector_of(5), top_k=3)[0].rows.tolist() == expected.rows.tolist()
    old.segments[0].manifest.write(tmp_path)
    assert Manifest.read(tmp_path).version == 2


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("place", [130, 400, -2])
def test_a_large_file_of_the_format_before_is_checked_before_it_answers(tmp_path: Path, place: int) -> None:
    index = build_tiny(tmp_path)
    index.close()
    (index.folder / BLOCKS).unlink()
    content = json.loads((index.folder / "manifest.json").read_bytes())
    del content["files"][BLOCKS]
    (index.folder / "manifest.json").write_bytes(canonical_json(content))
    as_format_2(index.folder)
    old = TileIndex.open(index.folder)
    assert old.search(vector_of(7), top_k=1)[0].scores[0] > 0.99
    old.close()
    flip(index.folder / EMBEDDINGS, place)
    damaged = TileIndex.open(index.folder)
    for seed in range(25):
        with pytest.raises(IndexDamaged, match="SHA-256"):
            damaged.search(vector_of(seed), top_k=1)
    damaged.close()


def test_the_digest_does_not_depend_on_where_the_tiles_lie(tmp_path: Path) -> None:
    make_tiles(tmp_path / "a" / "tiles")
    shutil.copytree(tmp_path / "a" / "tiles", tmp_path / "b" / "deep" / "other")
    build_index(open_source(tmp_path / "a" / "tiles"), FakeEncoder(), tmp_path / "one")
    build_index(open_source(tmp_path / "b" / "deep" / "other"), FakeEncoder(), tmp_path / "b" / "two")
    one, two = TileIndex.open(tmp_path / "one"), TileIndex.open(tmp_path / "b" / "two")
    assert one.digest == two.digest
    assert one.segments[0].source_path != two.segments[0].source_path
    content = json.loads((tmp_path / "one" / "manifest.json").read_bytes())
    content["source"]["path"] = "elsewhere"
    (tmp_path / "one" / "manifest.json").write_bytes(canonical_json(content))
    with pytest.raises(IndexDamaged, match="checksum"):
        TileIndex.open(tmp_path / "one")


def test_exchanged_manifests_are_refused(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, 3, 3)
    index.close()
    with changing(index.folder) as change:
        remove_tiles(change, ids={index.tile(0).tile_id})
    one, other = index.folder / "manifest.json", index.folder / "segment.json"
    written = one.read_bytes(), other.read_bytes()
    one.write_bytes(written[1])
    other.write_bytes(written[0])
    with pytest.raises(IndexDamaged, match="have been exchanged"):
        TileIndex.open(index.folder)
    other.write_bytes(written[1])  # as a change that was killed before its end leaves them
    TileIndex.open(index.folder).close()


def test_a_folder_in_the_place_of_a_manifest_is_said(tmp_path: Path) -> None:
    index = build_tiny(tmp_path, 3, 3)
    index.close()
    (index.folder / "manifest.json").unlink()
    (index.folder / "manifest.json").mkdir()
    with pytest.raises(IndexDamaged, match=r"manifest\.json is not a JSON object"):
        TileIndex.open(index.folder)

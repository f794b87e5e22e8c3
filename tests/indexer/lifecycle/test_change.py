"""One writer at a time, readers of the version that they opened, and nothing left behind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadChange, BuildConflict, IndexDamaged, IndexVersion
from indexer.index.index_manifest import IndexManifest
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import changing
from tests.indexer.lifecycle.living import add, compact, content, name_of, opened, put_tile, remove
from tests.indexer.tiny import build_tiny, files_of, vector_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def test_two_writers_exclude_each_other_and_the_first_is_not_disturbed(folder: Path) -> None:
    with changing(folder) as change:
        with pytest.raises(BuildConflict, match="another command is changing"), changing(folder):
            raise AssertionError
        change.publish([np.arange(12) < 3])
    assert len(content(folder)) == 9


def test_a_folder_that_is_no_index_gets_no_lock(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="no index"), changing(tmp_path):
        raise AssertionError
    assert list(tmp_path.iterdir()) == []


def test_who_has_it_open_keeps_the_version_that_was_opened(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 9, 0, 50)
    with opened(folder) as before:
        assert before.is_current
        expected = before.search(vector_of(5), top_k=12)[0]
        add(folder, tmp_path / "more")
        remove(folder, ids=(name_of(1, 2),))
        compact(folder)
        assert not before.is_current
        assert before.count == 12
        again = before.search(vector_of(5), top_k=12)[0]
        assert again.rows.tolist() == expected.rows.tolist()
        assert before.tile_image(15, 17_001, 11_002) is not None
    assert len(content(folder)) == 12


def test_an_index_that_changes_while_it_is_opened_is_opened_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tile(tmp_path / "more", 9, 0, 50)
    add(folder, tmp_path / "more")
    read, late = IndexManifest.read, []

    def read_then_compact(path: Path) -> IndexManifest:
        manifest = read(path)
        if not late:
            late.append(True)
            compact(folder)
        return manifest

    monkeypatch.setattr(IndexManifest, "read", read_then_compact)
    index = TileIndex.open(folder)
    assert (index.count, len(index.segments)) == (13, 2)  # another source each
    index.close()


def test_leftovers_of_killed_changes_are_swept_and_unfinished_work_is_kept(folder: Path, tmp_path: Path) -> None:
    segments = folder / "segments"
    (segments / "000001").mkdir(parents=True)
    (segments / "000001" / "embeddings.npy").write_bytes(b"x")
    (segments / ".removed-0.bits.tmp").write_bytes(b"x")
    (segments / ".000001.partial").mkdir()
    with changing(folder):
        assert [path.name for path in segments.iterdir()] == [".000001.partial"]
    put_tile(tmp_path / "more", 9, 0, 50)
    add(folder, tmp_path / "more")
    assert [path.name for path in segments.iterdir()] == ["000001"]


def test_nothing_of_the_first_segment_is_left_when_none_of_it_is_needed(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "tiles", 9, 0, 50)
    add(folder, tmp_path / "tiles")
    compact(folder)
    assert sorted(files_of(folder)) == [".lock", "manifest.json"] + [
        f"segments/000002/{name}" for name in ("embeddings.npy", "manifest.json", "stamps.bin", "tiles.parquet")
    ]


def test_an_index_without_a_tile_is_refused(folder: Path) -> None:
    with changing(folder) as change, pytest.raises(BadChange, match=r"no tile of .* would be left"):
        change.publish([np.ones(12, np.bool_)])
    assert len(content(folder)) == 12


def test_what_is_taken_back_is_the_index_of_before(folder: Path, tmp_path: Path) -> None:
    digest = IndexManifest.read(folder).digest
    put_tile(tmp_path / "more", 9, 0, 50)
    add(folder, tmp_path / "more")
    assert IndexManifest.read(folder).digest != digest
    remove(folder, ids=(name_of(9, 0),))
    assert IndexManifest.read(folder).digest == digest


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.99])
def test_a_flipped_byte_of_any_file_is_noticed_or_changes_no_answer(folder: Path, tmp_path: Path, place: float) -> None:
    put_tile(tmp_path / "more", 9, 0, 50)
    add(folder, tmp_path / "more")
    remove(folder, ids=(name_of(0, 0),))
    expected = content(folder)
    for name in files_of(folder):
        damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
        data = bytearray((damaged / name).read_bytes())
        if data:
            data[int(len(data) * place)] ^= 0x04
            (damaged / name).write_bytes(bytes(data))
            try:
                assert content(damaged) == expected
                assert name == "manifest.json" or name.endswith("stamps.bin")
            except (IndexDamaged, IndexVersion):
                assert not name.endswith("stamps.bin")
        shutil.rmtree(damaged)


def test_a_segment_of_another_index_is_noticed(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 9, 0, 50)
    add(folder, tmp_path / "more")
    build_tiny(tmp_path / "other", 1, 1).close()
    shutil.rmtree(folder / "segments" / "000001")
    shutil.copytree(tmp_path / "other" / "index", folder / "segments" / "000001")
    with pytest.raises(IndexDamaged, match=r"is of segment .* names"):
        TileIndex.open(folder)


def test_a_list_of_a_later_format_is_refused(folder: Path) -> None:
    remove(folder, ids=(name_of(0, 0),))
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(IndexVersion, match="99"):
        TileIndex.open(folder)

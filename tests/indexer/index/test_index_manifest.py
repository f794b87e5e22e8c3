"""The list of segments, written and read back, and the files that tell which rows were removed."""

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.index_manifest import IndexManifest, Removed, joined_bounds
from model.common.geo import Bounds
from tests.indexer.candidates import MANIFEST

ROWS = np.arange(21) % 5 == 0


def test_a_list_comes_back(tmp_path: Path) -> None:
    removed = Removed.write(tmp_path, ROWS)
    assert removed is not None
    manifest = IndexManifest.of_segments(
        {"segment.json": MANIFEST, "segments/1/manifest.json": MANIFEST}, {"segment.json": removed}
    )
    manifest.write(tmp_path)
    assert IndexManifest.read(tmp_path) == manifest
    assert manifest.count == 2 - 5


def test_the_only_segment_is_the_index(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    manifest = IndexManifest.read(tmp_path)
    assert (manifest.digest, manifest.count, len(manifest.segments)) == (MANIFEST.digest, 1, 1)


def test_removed_rows_come_back_and_fit_their_segment_only(tmp_path: Path) -> None:
    assert Removed.write(tmp_path, np.zeros(9, np.bool_)) is None
    removed = Removed.write(tmp_path, ROWS)
    assert removed is not None
    assert removed.read(tmp_path, 21).tolist() == ROWS.tolist()
    for count in (8, 40, 20):
        with pytest.raises(IndexDamaged):
            removed.read(tmp_path, count)
    (tmp_path / removed.file).unlink()
    with pytest.raises(IndexDamaged, match="is missing"):
        removed.read(tmp_path, 21)


@pytest.mark.parametrize("name", ["segments", "bounds", "digest"])
def test_a_list_that_was_changed_is_refused(tmp_path: Path, name: str) -> None:
    IndexManifest.of_segments({"segment.json": MANIFEST}).write(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_bytes())
    content[name] = []
    path.write_text(json.dumps(content))
    with pytest.raises(IndexDamaged, match="byte for byte"):
        IndexManifest.read(tmp_path)


def test_bounds_join_across_the_antimeridian() -> None:
    joined = joined_bounds([Bounds(179.0, 0.0, 180.0, 1.0), Bounds(-180.0, -1.0, -179.0, 0.5)])
    assert joined.as_tuple() == (179.0, -1.0, -179.0, 1.0)


@pytest.mark.parametrize("listed", [False, True], ids=["a segment's", "a list"])
def test_a_manifest_is_looked_at_once_since_it_may_be_replaced_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    if listed:
        IndexManifest.of_segments({"a.json": MANIFEST, "b.json": MANIFEST}).write(tmp_path)
    else:
        MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    looks = [path.read_bytes()]
    monkeypatch.setattr(Path, "read_bytes", lambda _: looks.pop() if looks else b"{}")
    assert len(IndexManifest.read(tmp_path).segments) == 1 + listed
    assert looks == []

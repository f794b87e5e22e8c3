import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexer.common.errors import IndexDamaged, IndexVersion
from indexer.index.manifest import FileEntry, Manifest, SearchRecipe
from model.common.geo import Bounds

MANIFEST = Manifest(
    encoder={"name": "fake", "digest": "abc"},
    dim=27,
    anchors=[(0.0, 0.0)],
    count=3,
    search=SearchRecipe(),
    source={"kind": "folder", "path": "tiles"},
    bounds=Bounds(8.0, 47.0, 9.0, 48.0),
    tile_size_m=(100.0, 100.0),
    tiles={"listed": 3, "embedded": 3, "skipped": 0, "failed": 0},
    files={"embeddings.npy": FileEntry(10, "0" * 64)},
    written_by="0.1.0",
)


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    assert Manifest.read(tmp_path) == MANIFEST


def test_the_digest_is_that_of_the_content() -> None:
    assert MANIFEST.digest == replace(MANIFEST).digest
    assert MANIFEST.digest != replace(MANIFEST, count=4).digest


def test_a_changed_value_is_noticed(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    rewrite(tmp_path, count=4)
    with pytest.raises(IndexDamaged, match="does not match its own digest"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("version", "advice"),
    [(99, "Update the software, or rebuild the index"), (1, "Rebuild the index"), ("3", "Rebuild the index")],
)
def test_another_format_is_named_with_what_to_do(tmp_path: Path, version: object, advice: str) -> None:
    MANIFEST.write(tmp_path)
    rewrite(tmp_path, version=version)
    with pytest.raises(IndexVersion, match=rf"version {version!r}; this software reads versions 2 to 7\. {advice}"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not a JSON object"), ("[1]", "not a JSON object"), ('{"format": "else"}', "not the manifest of an index")],
)
def test_other_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(IndexDamaged, match=message):
        Manifest.read(tmp_path)


def test_a_missing_manifest_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match=r"manifest\.json is missing"):
        Manifest.read(tmp_path)

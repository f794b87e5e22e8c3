"""What is said of a build's peak is what it takes, and a disk that is too small is said before anything is embedded."""

from pathlib import Path

import pytest

from indexer.building import build as build_module
from indexer.building import needs as needs_module
from indexer.building.build import build_index
from indexer.building.needs import free_bytes, needs_of, require_room
from indexer.building.plan import BuildSpec
from indexer.common.errors import DiskFull
from indexer.index.search_spec import SearchSpec
from indexer.tiles.sources.open_source import open_source
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.tiny import make_tiles

WIDE = FakeEncoder(inputs=InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=7))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("latency_ms", [1e9, 0.0])
def test_the_peak_on_disk_is_what_a_build_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, latency_ms: float
) -> None:
    tiles, spec = make_tiles(tmp_path / "tiles", 16, 12), BuildSpec(search=SearchSpec(latency_ms=latency_ms))
    needs, peak = needs_of(192, WIDE, spec), list[int]()
    plain = build_module.publish

    def measured(folder: Path, out: Path) -> None:
        peak.append(size_of(folder.parent))
        plain(folder, out)

    monkeypatch.setattr(build_module, "publish", measured)
    build_index(open_source(tiles), WIDE, tmp_path / "index", spec=spec)
    assert peak == pytest.approx([needs.disk], rel=0.15)
    assert size_of(tmp_path / "index") == pytest.approx(needs.index, rel=0.15)


def test_lists_take_more_of_both() -> None:
    exact, lists = (needs_of(1_000_000, WIDE, BuildSpec(search=SearchSpec(latency_ms=ms))) for ms in (1e9, 0.0))
    assert lists.index > exact.index
    assert lists.memory > exact.memory
    assert lists.disk - exact.disk == lists.index - exact.index


def test_a_disk_that_is_too_small_is_said_before_a_tile_is_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 4, 3))
    monkeypatch.setattr(needs_module, "free_bytes", lambda _: 1_000)
    with pytest.raises(DiskFull, match=r"on disk at its peak.*build --shard I/N on several disks"):
        build_index(source, WIDE, tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]


def test_what_an_unfinished_build_left_is_not_needed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = needs_of(1_000, WIDE, BuildSpec())
    work = tmp_path / ".index.partial"
    work.mkdir()
    (work / "shard").write_bytes(bytes(needs.disk // 2))
    monkeypatch.setattr(needs_module, "free_bytes", lambda _: needs.disk - needs.disk // 2)
    require_room(tmp_path / "index", needs)
    (work / "shard").unlink()
    with pytest.raises(DiskFull):
        require_room(tmp_path / "index", needs)


def test_the_disk_of_a_folder_to_be_is_that_of_the_one_above(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") == pytest.approx(free_bytes(tmp_path), rel=0.1)

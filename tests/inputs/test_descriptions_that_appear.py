"""A description that comes into a tile folder, or changes, while it is embedded: its tiles lie elsewhere by it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import BuildConflict
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, make_tiles
from tests.inputs.test_resumed_builds import OPTIONS, SPEC, build_during, interrupt

SAYING = {
    "tilemapresource.xml": "<TileMap><SRS>EPSG:3857</SRS></TileMap>",
    "metadata.json": '{"scheme": "tms"}',
    "tiles.json": '{"tilejson": "2.2.0", "tiles": ["{z}/{y}/{x}.png"]}',
    "leaflet.html": "L.tileLayer('./{z}/{x}/{y}.png', {tms: true})",
}


def put(folder: Path, name: str) -> Callable[[], object]:
    return lambda: (folder / name).write_text(SAYING[name])


@pytest.mark.parametrize("name", SAYING)
def test_a_description_that_appears_while_the_build_runs(tmp_path: Path, name: str) -> None:
    folder = make_tiles(tmp_path / "tiles")
    where = rf"{name} changed \(by it 15/{LEFT}/{TOP}\.png is tile 15/\d+/\d+, and was 15/{LEFT}/{TOP} before\)"
    with pytest.raises(BuildConflict, match=rf"{where} while the tiles were being embedded; nothing was published"):
        build_during(folder, tmp_path / "index", put(folder, name))
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("name", SAYING)
def test_a_description_that_appears_between_two_runs(tmp_path: Path, name: str) -> None:
    folder = make_tiles(tmp_path / "tiles")
    interrupt(folder, tmp_path / "index")
    put(folder, name)()
    with pytest.raises(BuildConflict, match=r"'scheme': 'xyz'} -> .*'scheme': '(tms|zyx)'.*--restart"):
        build_index(open_source(folder, OPTIONS), FakeEncoder(), tmp_path / "index", spec=SPEC)


def test_a_description_that_is_written_anew_in_its_place(tmp_path: Path) -> None:
    """No name comes or goes, so that the folder's own time stays."""
    folder = make_tiles(tmp_path / "tiles")
    (folder / "metadata.json").write_text('{"scheme": "xyz"}')
    with pytest.raises(BuildConflict, match=r"metadata\.json changed \(by it"):
        build_during(folder, tmp_path / "index", put(folder, "metadata.json"))


def test_bounds_that_contradict_the_tiles_meanwhile(tmp_path: Path) -> None:
    folder = make_tiles(tmp_path / "tiles")
    bounds = json.dumps({"bounds": "8,-48,9,-47"})
    with pytest.raises(BuildConflict, match=r"tiles changed \(.*metadata\.json says that the tiles lie in 8\.0"):
        build_during(folder, tmp_path / "index", lambda: (folder / "metadata.json").write_text(bounds))


@pytest.mark.parametrize("content", ["{}", '{"scheme": "xyz"}', '{"name": "city"}'])
def test_a_description_that_changes_no_place_is_no_change(tmp_path: Path, content: str) -> None:
    folder = make_tiles(tmp_path / "tiles")
    summary = build_during(folder, tmp_path / "index", lambda: (folder / "metadata.json").write_text(content))
    assert summary.embedded == 12

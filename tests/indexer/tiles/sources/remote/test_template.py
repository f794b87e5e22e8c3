"""Templates: an index of fetched tiles is that of the same tiles on disk, and an update asks only what has changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import BadSource
from indexer.index.index_manifest import IndexManifest
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import changing
from indexer.lifecycle.update import apply_updates, plan_updates
from indexer.tiles.grid import tile_bounds
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from indexer.tiles.sources.remote.template import address_of
from model.common.geo import Bounds
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, content
from tests.indexer.tiles.sources.remote.serving import Served
from tests.indexer.tiny import LEFT, TOP, ZOOM, encoded, make_tiles


def options_for(columns: int, rows: int, **remote: object) -> SourceOptions:
    west, _, _, north = (float(edge) for edge in tile_bounds(ZOOM, LEFT, TOP))
    _, south, east, _ = (float(edge) for edge in tile_bounds(ZOOM, LEFT + columns - 1, TOP + rows - 1))
    inset = 1e-5
    box = Bounds(west + inset, south + inset, east - inset, north - inset)
    allowed = RemoteOptions(remote=True, attribution="© tests", rate_limit=1000.0, **remote)  # type: ignore[arg-type]
    return SourceOptions(zoom=ZOOM, bbox=box, remote=allowed)


def test_fetched_tiles_make_the_index_of_the_same_tiles_on_disk(served: Served, root: Path, tmp_path: Path) -> None:
    make_tiles(root, 3, 2)
    source = open_source(f"{served.url}/{{z}}/{{x}}/{{y}}.png", options_for(3, 3))  # the third row is not there
    summary = build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    source.close()
    assert (summary.embedded, summary.skipped, summary.failed) == (6, 3, 0)
    build_index(open_source(root), FakeEncoder(), tmp_path / "local", spec=SPEC)
    assert content(tmp_path / "index") == content(tmp_path / "local")
    index = TileIndex.open(tmp_path / "index")
    said = index.segments[0].manifest.source
    assert (said["kind"], said["attribution"]) == ("template", "© tests")
    assert said["path"] == f"{served.url}/{{z}}/{{x}}/{{y}}.png"
    asked = len(served.asked)
    assert index.image(0) is None  # opening an index fetches nothing
    assert len(served.asked) == asked
    index.close()


def test_an_update_fetches_only_what_has_changed(served: Served, root: Path, tmp_path: Path) -> None:
    make_tiles(root, 3, 2)
    cache = tmp_path / "cache"
    source = open_source(f"{served.url}/{{z}}/{{x}}/{{y}}.png", options_for(3, 2, cache=cache))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    source.close()
    (root / str(ZOOM) / str(LEFT) / f"{TOP}.png").write_bytes(encoded(70))
    served.asked.clear()
    allowed = RemoteOptions(remote=True, rate_limit=1000.0, cache=cache)
    with changing(tmp_path / "index") as change:
        (update,) = updates = plan_updates(change.index, FakeEncoder(), SPEC, remote=allowed)
        assert (update.new, update.changed, update.gone_count, update.same) == (0, 1, 0, 5)
        apply_updates(change, updates, FakeEncoder(), spec=SPEC)
    assert served.statuses().count(200) == 1
    assert IndexManifest.read(tmp_path / "index").count == 6
    with changing(tmp_path / "index") as change, pytest.raises(BadSource, match="add --remote"):
        plan_updates(change.index, FakeEncoder(), SPEC)


def test_addresses_name_tiles_in_each_way_there_is() -> None:
    assert address_of("http://a/{z}/{x}/{y}", 3, 5, 2) == "http://a/3/5/2"
    assert address_of("http://a/{z}/{x}/{-y}", 3, 5, 2) == "http://a/3/5/5"
    assert address_of("http://a/{q}.png", 3, 5, 2) == "http://a/121.png"
    wmts = "http://a/?TILEMATRIX={TileMatrix}&TILECOL={TileCol}&TILEROW={TileRow}"
    assert address_of(wmts, 3, 5, 2) == "http://a/?TILEMATRIX=3&TILECOL=5&TILEROW=2"


@pytest.mark.parametrize(
    ("template", "changed", "reason"),
    [
        ("/{z}/{x}/{y}.png", {"zoom": None}, "give --zoom and --bbox"),
        ("/{z}/{x}/{y}.png", {"bbox": None}, "give --zoom and --bbox"),
        ("/{z}/{x}/{y}.png", {"scheme": "tms"}, "leave --scheme out"),
        ("/{z}/{x}/{y}.png", {"zoom": 24, "bbox": Bounds(0, 0, 9, 9)}, "choose a lower --zoom or a --bbox"),
        ("/{z}/{x}.png", {}, "does not name each tile"),
        ("/{s}/{z}/{x}/{y}.png", {}, r"a place for \{s\}, which is not known"),
    ],
)
def test_a_template_that_does_not_say_which_tiles_is_refused(
    served: Served, template: str, changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(BadSource, match=reason):
        open_source(served.url + template, replace(options_for(1, 1), **changed)).list_tiles()
    assert served.asked == []

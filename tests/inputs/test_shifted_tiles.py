"""Tiles that all lie one further than their source says, and names that lie elsewhere than it says."""

import json
from pathlib import Path

import mercantile
import pytest

from indexer.common.errors import BadSource
from tests.inputs.making import bounds_of, flipped, listed, place_of, tiles_of_country, write_country, write_mbtiles

TILES = tiles_of_country()
ROWS: list[tuple[object, object, object]] = [(z, x, flipped(z, y)) for z, x, y in TILES]
WEST, SOUTH, EAST, NORTH = PLACE = place_of(list(TILES))
WIDTH, HEIGHT = (EAST - WEST) / 4, (NORTH - SOUTH) / 4
ELSEWHERE = json.dumps({"bounds": [8.5, -47.4, 8.6, -47.3]})


def archive(path: Path, right: float = 0.0, up: float = 0.0, inset: float = 0.0) -> Path:
    """MBTiles whose bounds lie so many tiles beside them, cut by some share of a tile at every edge."""
    across, down = (right - inset) * WIDTH, (up - inset) * HEIGHT
    box = WEST + (right + inset) * WIDTH, SOUTH + (up + inset) * HEIGHT, EAST + across, NORTH + down
    return write_mbtiles(path, ROWS, {"bounds": ",".join(map(str, box))})


@pytest.mark.parametrize("inset", [0.0, 0.4])
@pytest.mark.parametrize(
    ("right", "up", "further"),
    [(0, -1, "north"), (0, 1, "south"), (1, 0, "west"), (-1, 0, "east"), (-1, 1, "south and east")],
)
def test_tiles_that_lie_one_further_than_the_bounds_stop(
    tmp_path: Path, right: int, up: int, further: str, inset: float
) -> None:
    path = archive(tmp_path / "a.mbtiles", right, up, inset)
    with pytest.raises(
        BadSource, match=rf"all lie one tile further {further}, as where .* give --scheme tms if its rows"
    ):
        listed(path)
    notes = listed(path, scheme="tms").notes
    assert any(note.startswith("warning: metadata says") and f"further {further}" in note for note in notes)
    assert bounds_of(path, scheme="tms") == pytest.approx(PLACE)


@pytest.mark.parametrize("inset", [0.0, 0.4, 0.9, -0.4, -3.0])
def test_bounds_within_the_tiles_or_around_them_are_right(tmp_path: Path, inset: float) -> None:
    path = archive(tmp_path / "a.mbtiles", inset=inset)
    assert bounds_of(path) == pytest.approx(PLACE)
    assert listed(path).notes == []


@pytest.mark.parametrize("box", ["8.54,47.36,8.56,47.38", "8.5,47.4,8.6,47.4"])
def test_bounds_that_are_rounded_by_more_than_a_tile_tell_no_tile(tmp_path: Path, box: str) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", ROWS, {"bounds": box})
    assert bounds_of(path) == pytest.approx(PLACE)


def test_quadkeys_that_lie_elsewhere_than_the_folder_says_stop(tmp_path: Path) -> None:
    folder = write_country(tmp_path, lambda z, x, y: f"{mercantile.quadkey(x, y, z)}.png")
    (folder / "metadata.json").write_text(json.dumps({"bounds": list(PLACE)}))
    assert listed(folder).notes == []
    (folder / "metadata.json").write_text(ELSEWHERE)
    with pytest.raises(BadSource, match=r"but their names lie in 8\.53638, .* Give --scheme quadkey if the names are"):
        listed(folder)
    assert "taken as --scheme quadkey says" in " ".join(listed(folder, scheme="quadkey").notes)


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        (ELSEWHERE, "metadata.json says that the tiles lie in 8.50000, -47.40000"),
        ('{"scheme": "tms"}', "metadata.json says that rows are counted as tms"),
        ('{"crs": "EPSG:4326"}', "metadata.json says that these are tiles of the reference system EPSG:4326"),
        ('{"scheme": "xyz"}', ""),
    ],
)
def test_a_pattern_is_followed_and_what_contradicts_it_is_said(tmp_path: Path, content: str, warning: str) -> None:
    folder = write_country(tmp_path, lambda z, x, y: f"{z}_{x}_{y}.png")
    (folder / "metadata.json").write_text(content)
    notes = listed(folder, scheme="{z}_{x}_{y}.png").notes
    assert len(notes) == bool(warning)
    assert all(warning in note and note.endswith("taken as --scheme {z}_{x}_{y}.png says") for note in notes)


@pytest.mark.parametrize(("pattern", "rival"), [("{z}_{y}_{x}.png", "zyx"), ("{z}_{x}_{-y}.png", "xyz")])
def test_a_pattern_that_the_pictures_contradict_is_doubted(tmp_path: Path, pattern: str, rival: str) -> None:
    folder = write_country(tmp_path, lambda z, x, y: f"{z}_{x}_{y}.png")
    (note,) = listed(folder, scheme=pattern).notes
    assert f"neighbouring pictures fit one another if rows are taken as {rival}" in note
    assert listed(folder, scheme="{z}_{x}_{y}.png").notes == []


@pytest.mark.parametrize("content", ['{"scheme": "tms"}', '{"profile": "geodetic"}'])
def test_an_order_that_is_asked_for_overrules_a_description_aloud(tmp_path: Path, content: str) -> None:
    folder = write_country(tmp_path, lambda z, x, y: f"{z}/{x}/{y}.png")
    (folder / "metadata.json").write_text(content)
    (note,) = listed(folder, scheme="xyz").notes
    assert note.startswith("warning: metadata.json says")
    assert note.endswith("taken as --scheme xyz says")


@pytest.mark.parametrize(
    "bounds",
    [
        {"bounds": {"west": 8.5, "south": -47.4, "east": 8.6, "north": -47.3}},
        {"extent": [8.5, -47.4, 8.6, -47.3]},
        {"fullExtent": {"xmin": 946300, "ymin": -6010000, "xmax": 957300, "ymax": -5990000}, "tileInfo": {}},
    ],
)
def test_bounds_by_other_names_are_held_against_the_rows(tmp_path: Path, bounds: dict[str, object]) -> None:
    folder = write_country(tmp_path, lambda z, x, y: f"{z}/{x}/{y}.png")
    (folder / "metadata.json").write_text(json.dumps(bounds))
    with pytest.raises(BadSource, match=r"metadata\.json says that the tiles lie in 8\.5.*Give --scheme tms"):
        listed(folder)
    (folder / "metadata.json").write_text('{"extent": 4096}')
    assert listed(folder).notes == []

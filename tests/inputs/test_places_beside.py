"""What lies beside a raster and says, too, where it is: one place, or the build stops or says so."""

import subprocess
import sys
from pathlib import Path

import pytest
from affine import Affine
from pyproj import CRS

from indexer.common.errors import BadSource
from tests.inputs.rasters import expected_of, open_raster, picture_of, read_all, write

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM = "EPSG:32719"
HERE = Affine(10.0, 0.0, 340_000.0, 0.0, -10.0, 6_300_000.0)
"""Santiago de Chile."""
THERE = Affine(10.0, 0.0, 340_000.0, 0.0, -10.0, 4_300_000.0)


def tiff(path: Path, *, bare: bool) -> Path:
    place = {} if bare else {"crs": UTM, "transform": HERE}
    return write(path, picture_of(UTM, HERE, 300, 260), **place)


def world(path: Path, transform: Affine) -> None:
    x, y = transform * (0.5, 0.5)
    path.write_text(f"{transform.a}\n{transform.d}\n{transform.b}\n{transform.e}\n{x}\n{y}\n")


def system(path: Path) -> None:
    path.write_text(CRS(UTM).to_wkt("WKT1_ESRI"))


def pam(path: Path, transform: Affine | None, crs: str = UTM) -> None:
    numbers = "" if transform is None else ", ".join(map(str, transform.to_gdal()))
    place = f"<GeoTransform>{numbers}</GeoTransform>" if numbers else ""
    path.write_text(f"<PAMDataset><SRS>{crs}</SRS>{place}</PAMDataset>")


def tab(path: Path, north: float) -> None:
    path.write_text(
        '!table\n!version 300\nDefinition Table\n  File "a.tif"\n  Type "RASTER"\n'
        f'  (340000,{north}) (0,0) Label "1",\n  (343000,{north}) (300,0) Label "2",\n'
        f'  (340000,{north - 2600}) (0,260) Label "3"\n'
        '  CoordSys Earth Projection 8, 104, "m", -69, 0, 0.9996, 500000, 10000000\n  Units "m"\n'
    )


def test_a_pam_file_that_names_another_system_alone_stops_the_build(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", bare=False)
    pam(tmp_path / "a.tif.aux.xml", None, "EPSG:32718")
    with pytest.raises(BadSource, match=r"a\.tif\.aux\.xml has reference system EPSG:32718, not EPSG:32719\. Remove"):
        open_raster(path)
    pam(tmp_path / "a.tif.aux.xml", None)
    open_raster(path).close()


@pytest.mark.parametrize("first", ["a.tif.aux.xml", "a.tab", "a.tfw", "a.tifw"])
@pytest.mark.parametrize("agree", [True, False], ids=["agree", "disagree"])
def test_two_places_beside_a_raster_that_says_none_must_agree(tmp_path: Path, first: str, agree: bool) -> None:
    path = tiff(tmp_path / "a.tif", bare=True)
    if first.endswith("xml"):
        pam(tmp_path / first, HERE)
    elif first == "a.tab":
        tab(tmp_path / first, 6_300_000)
    else:
        world(tmp_path / first, HERE)
    world(tmp_path / "a.wld", HERE if agree else THERE)
    system(tmp_path / "a.prj")
    if not agree:
        with pytest.raises(BadSource, match=rf"{first} says that its corner is at 340000, 6300000, and a\.wld puts it"):
            open_raster(path)
        return
    for tile, picture in read_all(open_raster(path)).values():
        assert abs(picture[:, 100:156].astype(float) - expected_of(tile)[:, 100:156]).mean() < 70
    assert open_raster(path).list_tiles().table.bounds.south < -33


def test_a_raster_without_a_place_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", bare=True)
    command = [
        sys.executable,
        "-m",
        "indexer",
        "build",
        "--tiles",
        str(path),
        "--out",
        str(tmp_path / "i"),
        "--dry-run",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "a.tif has no coordinate reference system or transform" in run.stderr


def test_every_world_file_and_a_tab_are_held_against_the_raster(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", bare=False)
    for name in ("a.tfw", "a.WLD"):
        world(tmp_path / name, HERE)
    tab(tmp_path / "a.tab", 6_300_000)
    assert "puts it at" not in " ".join(open_raster(path).list_tiles().notes)
    world(tmp_path / "a.WLD", THERE)
    tab(tmp_path / "a.tab", 4_300_000)
    notes = " ".join(open_raster(path).list_tiles().notes)
    assert "a.WLD puts it at 340000, 4300000; its own place is used" in notes
    assert "a.tab puts it at 340000, 4300000; its own place is used" in notes
    assert open_raster(path).list_tiles().table.bounds.south < -33

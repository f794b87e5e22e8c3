import gzip
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from indexer.common.errors import BadSource
from indexer.tiles.sources.fetching_rasters import require_on_disk
from tests.inputs.rasters import open_raster, read_all, write


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address that has nothing, and what it was asked for."""
    paths: list[str] = []

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


def service(address: str) -> str:
    """What GDAL reads as a raster of tiles that are fetched."""
    return (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>-20037508</UpperLeftX><UpperLeftY>20037508</UpperLeftY><LowerRightX>20037508</LowerRightX>"
        "<LowerRightY>-20037508</LowerRightY><TileLevel>4</TileLevel><YOrigin>top</YOrigin></DataWindow>"
        "<Projection>EPSG:3857</Projection><BandsCount>3</BandsCount></GDAL_WMS>"
    )


def virtual(path: Path, name: str) -> Path:
    """A virtual raster of one file, named as it is given."""
    rect = 'xOff="0" yOff="0" xSize="300" ySize="300"'
    path.write_text(
        '<?xml version="1.0"?>\n<VRTDataset rasterXSize="300" rasterYSize="300"><SRS>EPSG:3857</SRS>'
        "<GeoTransform>950000, 10, 0, 6000000, 0, -10</GeoTransform><VRTRasterBand dataType='Byte' band='1'>"
        f"<SimpleSource><SourceFilename relativeToVRT='{int('/' not in name and '<' not in name)}'>"
        f"{name.replace('<', '&lt;')}</SourceFilename><SourceBand>1</SourceBand><SrcRect {rect}/><DstRect {rect}/>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return path


def raw(path: Path, name: str) -> Path:
    """A virtual raster of bytes in a file of no format."""
    path.write_text(
        '<VRTDataset rasterXSize="300" rasterYSize="300"><SRS>EPSG:3857</SRS><GeoTransform>950000, 10, 0, 6000000, 0, '
        '-10</GeoTransform><VRTRasterBand dataType="Byte" band="1" subClass="VRTRawRasterBand"><SourceFilename '
        f'relativetoVRT="{int(not name.startswith("/"))}">{name}</SourceFilename><ImageOffset>0</ImageOffset>'
        "<PixelOffset>1</PixelOffset><LineOffset>300</LineOffset></VRTRasterBand></VRTDataset>"
    )
    return path


def name_overviews(raster: Path, name: str) -> None:
    """Let a raster's PAM file name its overviews."""
    Path(f"{raster}.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{name}</MDI></Metadata></PAMDataset>'
    )


@pytest.mark.parametrize("form", ["/vsicurl/{}/a.tif", "{}/a.tif", "/vsizip//vsicurl/{}/a.zip/a.tif", "{service}"])
def test_a_virtual_raster_of_what_would_be_fetched_is_refused_unasked(
    tmp_path: Path, asked: tuple[str, list[str]], form: str
) -> None:
    address, paths = asked
    path = virtual(tmp_path / "all.vrt", form.format(address, service=service(address)))
    with pytest.raises(BadSource, match=r"all\.vrt is made of .*which GDAL would fetch; nothing is fetched"):
        open_raster(path)
    assert paths == []


@pytest.mark.parametrize("name", ["a.tif", "a.vrt", "a.xml"])
def test_a_description_of_a_service_is_no_raster_whatever_its_name(
    tmp_path: Path, asked: tuple[str, list[str]], name: str
) -> None:
    address, paths = asked
    (tmp_path / name).write_text(service(address))
    wanted = rf"{name} is no raster but describes one that GDAL would fetch \('<GDAL_WMS>"
    with pytest.raises(BadSource, match=wanted):
        require_on_disk(tmp_path / name)
    virtual(tmp_path / "inner.vrt", name)
    with pytest.raises(BadSource, match=wanted):
        open_raster(virtual(tmp_path / "all.vrt", "inner.vrt"))
    assert paths == []


def test_files_on_disk_are_none(tmp_path: Path) -> None:
    place = {"crs": "EPSG:3857", "transform": Affine(10.0, 0.0, 950_000.0, 0.0, -10.0, 6_000_000.0)}
    write(tmp_path / "a.tif", np.full((1, 300, 300), 90, np.uint8), **place)
    require_on_disk(tmp_path / "a.tif")
    require_on_disk(virtual(tmp_path / "all.vrt", "a.tif"))
    require_on_disk(virtual(tmp_path / "outer.vrt", str(tmp_path / "all.vrt")))
    require_on_disk(tmp_path / "nowhere.tif")


def packed(folder: Path, kind: str, files: list[Path]) -> str:
    """An archive of some files, which are removed, as the beginning of GDAL's names of its members."""
    archive = folder / f"all.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as into:
            for file in files:
                into.write(file, file.name)
    else:
        with tarfile.open(archive, "w:gz" if kind == "tgz" else "w") as into:
            for file in files:
                into.add(file, file.name)
    for file in files:
        file.unlink()
    return f"/vsi{'zip' if kind == 'zip' else 'tar'}/{archive}"


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
@pytest.mark.parametrize("form", ["{all}/inner.vrt", "{all}/middle.vrt", "{before}/{{{archive}}}/inner.vrt"])
def test_a_virtual_raster_within_an_archive_that_would_fetch_is_refused_unasked(
    tmp_path: Path, asked: tuple[str, list[str]], kind: str, form: str
) -> None:
    """As one beside it is: GDAL would open what the inner one names, too."""
    address, paths = asked
    inner = virtual(tmp_path / "inner.vrt", f"/vsicurl/{address}/a.tif")
    name = packed(tmp_path, kind, [inner, virtual(tmp_path / "middle.vrt", "inner.vrt")])
    before, _, archive = name.partition(f"/{tmp_path}/")
    name = form.format(all=name, before=before, archive=f"{tmp_path}/{archive}")
    with pytest.raises(BadSource, match=r"inner\.vrt is made of '/vsicurl/.*which GDAL would fetch; nothing is"):
        open_raster(virtual(tmp_path / "all.vrt", name))
    assert paths == []


def test_the_only_member_of_an_archive_and_a_gzipped_file_need_no_name(
    tmp_path: Path, asked: tuple[str, list[str]]
) -> None:
    address, paths = asked
    virtual(tmp_path / "inner.vrt", f"{address}/a.tif")
    (tmp_path / "inner.vrt.gz").write_bytes(gzip.compress((tmp_path / "inner.vrt").read_bytes()))
    one = packed(tmp_path, "zip", [tmp_path / "inner.vrt"])
    for name in (one, f"/vsigzip/{tmp_path}/inner.vrt.gz"):
        with pytest.raises(BadSource, match="which GDAL would fetch; nothing is fetched"):
            open_raster(virtual(tmp_path / "all.vrt", name))
    assert paths == []


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_files_and_virtual_rasters_within_an_archive_are_read(tmp_path: Path, kind: str) -> None:
    place = {"crs": "EPSG:3857", "transform": Affine(10.0, 0.0, 950_000.0, 0.0, -10.0, 6_000_000.0)}
    write(tmp_path / "a.tif", np.full((1, 300, 300), 90, np.uint8), **place)
    name = packed(tmp_path, kind, [tmp_path / "a.tif", virtual(tmp_path / "inner.vrt", "a.tif")])
    for member in ("a.tif", "inner.vrt"):
        source = open_raster(virtual(tmp_path / "all.vrt", f"{name}/{member}"), min_valid=0.3)
        tiles = read_all(source)
        assert {int(np.median(picture)) for _, picture in tiles.values()} == {90}
        source.close()


@pytest.mark.parametrize(
    "name",
    ["zip/{}/all.zip/gone.vrt", "zip/{}/gone.zip/a.vrt", "subfile/0_,{}/all.zip", "zip/vsizip/{}/all.zip/a"],
)
def test_what_cannot_be_looked_into_is_refused(tmp_path: Path, name: str) -> None:
    packed(tmp_path, "zip", [virtual(tmp_path / "inner.vrt", "a.tif")])
    with pytest.raises(BadSource, match=r"looked into.*unpack it"):
        open_raster(virtual(tmp_path / "all.vrt", f"/vsi{name.format(tmp_path)}"))


@pytest.mark.parametrize("change", [("SourceFilename", "sourcefilename"), ("/a.tif", "/a.tif?one=1&two=2")])
@pytest.mark.parametrize("prefix", ["", "vrt://", "DERIVED_SUBDATASET:AMPLITUDE:"])
def test_what_gdal_takes_and_no_xml_parser_does_is_refused_too(
    tmp_path: Path, asked: tuple[str, list[str]], change: tuple[str, str], prefix: str
) -> None:
    address, paths = asked
    inner = virtual(tmp_path / "inner.vrt", f"/vsicurl/{address}/a.tif")
    inner.write_text(inner.read_text().replace(*change))
    with pytest.raises(BadSource, match="which GDAL would fetch; nothing is fetched"):
        open_raster(virtual(tmp_path / "all.vrt", f"{prefix}{inner}"))
    assert paths == []


@pytest.mark.parametrize("behind", [False, True], ids=["the raster", "a member"])
def test_overviews_that_would_be_fetched_are_refused_unasked(
    tmp_path: Path, asked: tuple[str, list[str]], behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "3")
    address, paths = asked
    place = {"crs": "EPSG:3857", "transform": Affine(10.0, 0.0, 950_000.0, 0.0, -10.0, 6_000_000.0)}
    raster = write(tmp_path / "a.tif", np.full((1, 300, 300), 90, np.uint8), **place)
    name_overviews(raster, f"/vsicurl/{address}/o.tif")
    path = virtual(tmp_path / "all.vrt", "a.tif") if behind else raster
    with pytest.raises(BadSource, match=r"a\.tif has its overviews in '/vsicurl/.*which GDAL would fetch; nothing"):
        open_raster(path)
    assert paths == []


def test_a_raw_band_is_fetched_no_more_than_others(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    address, paths = asked
    with pytest.raises(BadSource, match="which GDAL would fetch; nothing is fetched"):
        open_raster(raw(tmp_path / "raw.vrt", f"/vsicurl/{address}/pixels.bin"))
    assert paths == []

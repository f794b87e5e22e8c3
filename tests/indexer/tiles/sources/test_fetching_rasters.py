import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from indexer.common.errors import BadSource
from indexer.tiles.sources.fetching_rasters import require_on_disk
from tests.inputs.rasters import open_raster, write


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

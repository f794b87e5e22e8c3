"""Find out what a path holds and open it as a tile source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexer.common.errors import BadSource
from indexer.tiles.sources.addresses import is_address
from indexer.tiles.sources.foreign import foreign_file
from indexer.tiles.sources.schemes import AUTO
from indexer.tiles.sources.source import SourceOptions, TileSource

__all__ = ["open_source"]

_KINDS = (
    "a folder of z/x/y tiles or of GeoTIFFs, a .pmtiles, .mbtiles, .tif or .vrt file, "
    "a .csv or .parquet list of paths and coordinates, or a .json file of STAC items"
)


_CUTTING = ("stride_m", "tile_px", "min_valid", "bands", "nodata", "skip_bad", "asset")
"""Options that only sources which are cut into tiles listen to."""


def open_source(text: str | Path, options: SourceOptions | None = None) -> TileSource:
    """The source at a path, recognised by what it holds.

    Example:
        >>> open_source("tiles/", SourceOptions(zoom=18))  # doctest: +SKIP

    Raises:
        BadSource: nothing is there, or nothing that this version reads.
        MissingExtra: it is a raster and rasterio is not installed.
    """
    if not str(text).strip() or "\0" in str(text):
        raise BadSource(f"the path {str(text)!r} is none; give {_KINDS}")
    options = options or SourceOptions()
    if is_address(str(text)):
        return _open_address(str(text), options)
    path = Path(text).expanduser().resolve()
    if not path.exists():
        raise BadSource(f"{path} does not exist; give {_KINDS}")
    opener = _folder_opener(path, options) if path.is_dir() else _file_opener(path)
    if options.scheme != AUTO and opener in (_raster, _manifest, _stac):
        raise BadSource(f"{path} has no rows of tiles, so --scheme {options.scheme} does not apply; leave it out")
    if opener not in (_raster, _stac):
        _refuse_cutting(str(path), options, listed=opener is _manifest)
    return opener(path, options)


def _refuse_cutting(where: str, options: SourceOptions, *, listed: bool = False) -> None:
    """Options that say how a raster is cut are not passed over where the tiles are cut already.

    Raises:
        BadSource: one is given. A list may state how large its tiles are.
    """
    plain = SourceOptions()
    for name in _CUTTING if listed else ("tile_size_m", *_CUTTING):
        if (value := getattr(options, name)) != getattr(plain, name):
            shown = (
                "" if value is True else " " + (",".join(map(str, value)) if isinstance(value, tuple) else str(value))
            )
            raise BadSource(
                f"{where} holds tiles that are cut already, so --{name.replace('_', '-')}{shown} does not apply; "
                "leave it out"
            )


def _open_address(address: str, options: SourceOptions) -> TileSource:
    """A source that is fetched; which one, the address tells by its end.

    Raises:
        BadSource: it may not be fetched, or is of no known kind.
        MissingExtra: it is a raster and rasterio is not installed.
    """
    from indexer.tiles.sources.remote.archive import RemoteArchive
    from indexer.tiles.sources.remote.rasters import RemoteRaster, StacSource
    from indexer.tiles.sources.remote.template import TemplateSource, is_template

    options.remote.require(address)
    if is_template(address):
        _refuse_cutting(address, options)
        return TemplateSource(address, options)
    ends: dict[str, Callable[[str, SourceOptions], TileSource]] = {
        ".pmtiles": RemoteArchive,
        ".tif": RemoteRaster,
        ".tiff": RemoteRaster,
        ".json": StacSource,
        ".geojson": StacSource,
    }
    plain = address.partition("?")[0].lower()
    for end, kind in ends.items():
        if plain.endswith(end):
            if kind is RemoteArchive:
                _refuse_cutting(address, options)
            return kind(address, options)
    raise BadSource(
        f"{address} is of no known kind; give an address with {{z}}, {{x}} and {{y}}, or one that ends with .pmtiles, "
        ".tif (a COG) or .json (STAC items)"
    )


_Opener = Callable[[Path, SourceOptions], TileSource]


def _folder_opener(path: Path, options: SourceOptions) -> _Opener:
    """Named tiles come before rasters beside them; the listing says what it leaves out."""
    if (path / "manifest.json").exists() and any((path / name).exists() for name in ("embeddings.npy", "segments")):
        raise BadSource(f"{path} is an index, not a tile source; give {_KINDS}")
    if options.scheme != AUTO or not any(_is_raster(child) for child in path.iterdir()):
        return _folder
    from indexer.tiles.sources.tile_folder import holds_named_tiles

    return _folder if holds_named_tiles(path) else _raster


def _file_opener(path: Path) -> _Opener:
    if not path.is_file():
        raise BadSource(f"{path} is no plain file but a pipe or a device; give {_KINDS}")
    with path.open("rb") as file:
        magic = file.read(16)
    if not magic:
        raise BadSource(f"{path} is empty (0 bytes); give {_KINDS}")
    if magic.startswith(b"PMTiles") or path.suffix == ".pmtiles":
        return _pmtiles
    if magic.startswith(b"SQLite format 3") or path.suffix == ".mbtiles":
        return _mbtiles
    if magic.startswith(b"PAR1") or path.suffix.lower() in {".csv", ".tsv", ".parquet", ".geoparquet"}:
        return _manifest
    if path.suffix.lower() in {".json", ".geojson"}:
        return _stac
    if _is_raster(path) or magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _raster
    if foreign := foreign_file(path.suffix):
        raise BadSource(f"{path} is {foreign}. Sources are {_KINDS}")
    raise BadSource(f"{path} is of no known kind (it starts with {magic[:8]!r}); give {_KINDS}")


def _is_raster(path: Path) -> bool:
    return path.suffix.lower() in {".tif", ".tiff", ".vrt"} and path.is_file()


def _folder(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.tile_folder import FolderSource

    return FolderSource(path, options)


def _pmtiles(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.pmtiles import PMTilesSource

    return PMTilesSource(path, options)


def _mbtiles(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.mbtiles import MBTilesSource

    return MBTilesSource(path, options)


def _raster(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.raster import RasterSource

    return RasterSource(path, options)


def _stac(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.remote.rasters import StacSource

    return StacSource(str(path), options)


def _manifest(path: Path, options: SourceOptions) -> TileSource:
    from indexer.tiles.sources.tile_list import ManifestSource

    return ManifestSource(path, options)

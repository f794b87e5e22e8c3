"""Rasters at addresses, read by GDAL in parts (`/vsicurl`, `/vsis3`): one COG, or those that STAC items name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.addresses import is_address, is_readable
from indexer.tiles.sources.packed_members import is_packed
from indexer.tiles.sources.raster import RasterSource
from indexer.tiles.sources.remote.buckets import gdal_name, in_bucket, joined_address
from indexer.tiles.sources.remote.fetcher import Fetcher
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.stamps import FileState, combined, state_of
from indexer.tiles.tile_table import TileTable

__all__ = ["RemoteRaster", "StacSource"]

_LARGEST_LIST_BYTES = 256 << 20
_GEOTIFF = "image/tiff"
_VSI = "vsicurl?list_dir=no&empty_dir=yes&max_retry=3&retry_delay=1&url="


class RemoteRaster(RasterSource):
    """One COG at an address. GDAL fetches the parts that a tile needs."""

    def __init__(self, address: str, options: SourceOptions) -> None:
        options.remote.require(address)
        if not address.partition("?")[0].lower().endswith((".tif", ".tiff")):
            raise BadSource(
                f"{address} is no GeoTIFF; a virtual raster could name any file, so it is read from disk only"
            )
        self.address = address
        self._versions = _versions([address], options)
        super().__init__(Path(address), options, [_vsi(address)])

    def describe(self) -> dict[str, Any]:
        """As of one on disk, and whom it belongs to."""
        return super().describe() | {"attribution": self._options.remote.attribution}

    def members(self) -> dict[Path, FileState]:
        """No file."""
        return {}

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:  # noqa: ARG002
        """Each tile with the version of the raster."""
        return replace(tiles, stamp=np.full(len(tiles), combined(self._versions), np.int64))


class StacSource(RasterSource):
    """The rasters that STAC items name, as one mosaic; an item list may lie on disk or at an address."""

    kind = "stac"

    def __init__(self, name: str, options: SourceOptions) -> None:
        self.address = name if is_address(name) else None
        items = _items(name, options)
        hrefs = [_asset(item, name, options.asset) for item in items]
        remote = [href for href in hrefs if is_address(href)]
        for href in remote:
            options.remote.require(href)
        self._versions = _versions(remote, options)
        self._list_state = state_of(Path(name))
        super().__init__(
            Path(name), options, [_vsi(href) if is_address(href) else href.removeprefix("/") for href in hrefs]
        )

    def describe(self) -> dict[str, Any]:
        """As of files on disk; the asset; and whom they belong to."""
        asset = {} if self._options.asset is None else {"asset": self._options.asset}
        said = self._options.remote.attribution
        return super().describe() | asset | ({"attribution": said} if said else {})

    def members(self) -> dict[Path, FileState]:
        """The files on disk: the list, and the rasters with what lies beside them."""
        found = super().members()
        return found if self.address else found | {Path(self.path): self._list_state}

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:
        """Each tile with a stamp of the list, of the versions of all that is fetched, and of the files beneath it."""
        own = combined([*self._versions, *([] if self.address else [stamp_of(Path(self.path))])])
        tiles = super().stamped(tiles, stamp_of)
        with np.errstate(over="ignore"):
            return replace(tiles, stamp=tiles.stamp + np.int64(own))


def _vsi(address: str) -> str:
    return gdal_name(address) if in_bucket(address) else f"{_VSI}{quote(address, safe='')}"


def _versions(addresses: list[str], options: SourceOptions) -> list[int]:
    """A number for the version of each address; it is known to be there."""
    if not addresses:
        return []
    fetcher = Fetcher(options.remote)
    try:
        said = [fetcher.version(address) for address in addresses]
    except (TileWithoutData, OSError) as error:
        raise BadSource(f"a raster cannot be read: {error}") from error
    finally:
        fetcher.close()
    return [int.from_bytes(each.encode()[:64], "little") for each in said]


def _items(name: str, options: SourceOptions) -> list[dict[str, Any]]:
    """The items of a list, or the one that it is."""
    try:
        content = json.loads(_text(name, options))
        items = content["features"] if content.get("type") == "FeatureCollection" else [content]
        kinds = {item.get("type") for item in items}
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise BadSource(f"{name} is no STAC item, and no list of such: {error!r}") from error
    if kinds != {"Feature"}:
        raise BadSource(
            f"{name} holds {', '.join(sorted(map(str, kinds))) or 'nothing'}; give a STAC item, or a FeatureCollection "
            "of items as a search answers (a catalogue is not walked through)"
        )
    return list(items)


def _text(name: str, options: SourceOptions) -> bytes:
    if not is_address(name):
        if Path(name).stat().st_size > _LARGEST_LIST_BYTES:
            raise BadSource(f"{name} has more than {_LARGEST_LIST_BYTES:,} bytes; give lists of parts of it")
        return Path(name).read_bytes()
    options.remote.require(name)
    fetcher = Fetcher(options.remote)
    try:
        return fetcher.get(name).data
    except (TileWithoutData, OSError) as error:
        raise BadSource(f"{name} cannot be read: {error}") from error
    finally:
        fetcher.close()


def _asset(item: dict[str, Any], name: str, wanted: str | None) -> str:
    """Address or path of the one raster of an item that is wanted, from the list's own."""
    assets = item.get("assets")
    assets = assets if isinstance(assets, dict) else {}
    if "assets" not in item:
        raise BadSource(
            f"{name} is GeoJSON without assets, so no list of STAC items; footprints of pictures are read from "
            "GeoParquet or CSV with a column `path`"
        )
    rasters = {key: one for key, one in assets.items() if isinstance(one, dict) and _is_geotiff(one)}
    which = f"item {item.get('id')} of {name}"
    if wanted is None and len(rasters) != 1:
        wanted = "visual" if "visual" in rasters else None
    if wanted is None and len(rasters) != 1:
        raise BadSource(f"{which} has {len(rasters)} GeoTIFFs ({', '.join(rasters)}); choose one with --asset")
    chosen = rasters.get(wanted) if wanted is not None else next(iter(rasters.values()))
    if chosen is None:
        raise BadSource(f"{which} has no GeoTIFF {wanted}; it has {', '.join(rasters) or 'none'}")
    href = str(chosen["href"])
    if is_address(name) or is_address(href):
        address = joined_address(name, href)
        if not is_readable(address):
            raise BadSource(f"{which} lies at {address}; only http, https and s3 are read")
        return address
    path = str((Path(name).resolve().parent / href).resolve())
    if is_packed(path):
        raise BadSource(f"{which} lies at {href[:80]}, which is no file; give its path, or its address with --remote")
    return path


def _is_geotiff(asset: dict[str, Any]) -> bool:
    href = str(asset.get("href", "")).partition("?")[0].lower()
    return href.endswith((".tif", ".tiff")) and str(asset.get("type", _GEOTIFF)).startswith(_GEOTIFF)

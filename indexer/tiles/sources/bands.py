"""One raster file: what it holds, where it lies, how it is drawn. Looking into it reads no more than a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.area_of_use import doubts_of_area, doubts_of_datum
from indexer.tiles.sources.band_choice import doubts_of_bands
from indexer.tiles.sources.colours import Colours, Sample, colours_of, sample_of
from indexer.tiles.sources.fetching_rasters import require_on_disk
from indexer.tiles.sources.georeference import Georeference, georeference_of
from indexer.tiles.sources.overviews import doubts_of_overviews
from indexer.tiles.sources.rivals import require_one_place, system_beside
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.stamps import FileState, raster_members, state_of
from indexer.tiles.sources.virtual_gaps import doubts_of_gaps
from indexer.tiles.sources.virtual_members import missing_members, sidecars_of
from indexer.tiles.sources.virtual_places import doubts_of_members
from model.common.errors import NotPlainFile
from model.common.geo import Bounds
from model.common.plain_files import require_plain

__all__ = ["RasterFile", "inspect_raster", "remarks_on"]

_COLLAR_SHARE, _GRADED_SHARE = 0.02, 0.05


@dataclass(frozen=True)
class RasterFile:
    """What is known of a file without reading tiles.

    Attributes:
        name: relative to the source's root.
        bounds: in degrees, cut to the Web Mercator map.
        mercator_res_m: its pixel in projected metres of EPSG:3857.
        place: how its pixels become places.
        size: width and height in pixels.
        colours: how its values become colours.
        doubts: remarks on files beside it that say another place, on its bands and pages.
        members: the files that its pixels are read from, or where they would lie, as they were.
    """

    name: str
    bounds: Bounds
    mercator_res_m: float
    place: Georeference
    size: tuple[int, int]
    colours: Colours
    members: dict[Path, FileState] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def open(self, root: Path) -> Any:
        """A new dataset handle."""
        return load_rasterio().open(root / self.name)

    def touches(self, bounds: Bounds) -> bool:
        """Whether its extent meets a box."""
        return bool(BoxRegion(bounds).mask(*self.bounds.as_tuple()).all())


def inspect_raster(root: Path, name: str, options: SourceOptions, *, files: int = 1) -> tuple[RasterFile, Sample]:
    """Look into a file, one of so many.

    Raises:
        BadSource: it is damaged, has no place on Earth, or not the bands asked for.
        MissingExtra: rasterio is not installed.
    """
    rasterio, path = load_rasterio(), root / name
    _require_members(path)
    try:
        with rasterio.open(path) as data:
            doubts = (*require_one_place(data, path), *doubts_of_bands(data, options.bands), *_other_pages(data))
            doubts += (*doubts_of_overviews(data, path), *_other_units(data, options.bands))
            doubts += (*doubts_of_members(data, path),)
            doubts += (*(doubts_of_gaps(data, path) if options.nodata is None else ()),)
            beside = None if data.crs is not None else system_beside(path)
            place = georeference_of(data, str(path), None if beside is None else beside[0])
            bounds, resolution_m = place.extent(data.width, data.height, str(path))
            colours = colours_of(data, options.bands, options.nodata, str(path))
            doubts += (*doubts_of_area(place.crs, bounds), *doubts_of_datum(place.crs))
            size, members = (data.width, data.height), {one: state_of(one) for one in raster_members(path)}
            file = RasterFile(name, bounds, resolution_m, place, size, colours, members, doubts)
            return file, sample_of(data, colours, files=files)
    except BadSource:
        raise
    except Exception as error:  # GDAL's errors have no common base
        raise BadSource(f"{path} cannot be opened as a raster: {error.__cause__ or error}") from error


def _require_members(path: Path) -> None:
    """On disk, plain files, and there."""
    try:
        for beside in sidecars_of(path):
            require_plain(beside)
    except NotPlainFile as error:
        raise BadSource(str(error)) from error
    require_on_disk(path)
    if missing := missing_members(path):
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise BadSource(
            f"{path} is made of {missing[0]}{others}, which is not there or no plain file; put it back, or "
            "make the virtual raster anew (gdalbuildvrt)"
        )


def remarks_on(file: RasterFile, sample: Sample) -> list[str]:
    """Warnings of what a file does not say, or says and hardly means."""
    remarks = list(file.doubts)
    colours = file.colours
    if not colours.tells_nodata and sample.values.shape[1]:
        for value, word in _collars(sample, deep=colours.deep).items():
            share = float((sample.values == value).all(axis=0).mean())
            if share > _COLLAR_SHARE:
                remarks.append(
                    f"about {share:.0%} of it is exactly {word} ({value:.12g}) and no tag says that this means no "
                    f"data; if it is a collar, give --nodata {value:.12g}"
                )
    if colours.alpha is not None and sample.alpha is not None and len(sample.alpha):
        top = np.iinfo(sample.alpha.dtype).max if sample.alpha.dtype.kind in "iu" else sample.alpha.max()
        graded = float(((sample.alpha > 0) & (sample.alpha < top)).mean())
        if graded > _GRADED_SHARE:
            named = ",".join(str(band) for band in dict.fromkeys(colours.bands))
            remarks.append(
                f"band {colours.alpha} is marked alpha but {graded:.0%} of its values lie between none and all; if it "
                f"is another channel (infrared, say), give --bands {named}"
            )
    if file.place.rpcs is not None:
        remarks.append(
            f"it is placed by RPCs at a height of {file.place.rpcs.height_off:g} m throughout, so where the ground is "
            "higher or lower, tiles are displaced; orthorectify it with a terrain model for right places"
        )
    return remarks


def _other_units(data: Any, asked: tuple[int, ...] | None) -> list[str]:
    """A remark on deep bands whose values mean different things, by their scales and offsets."""
    chosen = asked[: len(asked) - 1 + len(asked) % 2] if asked else range(1, min(3, data.count) + 1)
    bands = [band for band in chosen if 1 <= band <= data.count]
    units = {(data.scales[band - 1], data.offsets[band - 1]) for band in bands}
    if len(units) < 2 or data.dtypes[0] == "uint8":
        return []
    return ["its bands have scales or offsets of their own, which are not applied: their colours may be off"]


def _other_pages(data: Any) -> list[str]:
    """A remark on pictures behind the first of a file, which GDAL opens one by one."""
    count = len(data.subdatasets)
    if count < 2:
        return []
    return [
        f"it holds {count} pictures one behind the other, and the first alone is read; write each into its own file"
    ]


def _collars(sample: Sample, *, deep: bool) -> dict[float, str]:
    """Values that stand for no data in files that do not say so, in words: of deep files the extremes, too."""
    if not deep:
        return {0.0: "black", 255.0: "white"}
    return {float(sample.values.min()): "its least value", float(sample.values.max()): "its greatest", 0.0: "black"}

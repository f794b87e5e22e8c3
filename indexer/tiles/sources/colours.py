"""How a raster's values become colours: which bands, which values mean no data, palettes, the scale of deep values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.common.optional import load_rasterio
from indexer.tiles.sources.band_choice import choose_bands
from indexer.tiles.sources.georeference import Window

__all__ = ["Colours", "Sample", "colours_of", "common_range", "read_window", "sample_of", "scaled_alike", "units_agree"]

_PERCENTILES = (2.0, 98.0)
_SAMPLED_PX = 1 << 20
"""Pixels of all files together from which the scale of deep values is taken."""
_SAMPLE_WINDOWS, _SAMPLE_SIDE_PX = 7, 64
"""A large file without overviews is sampled in so many windows a side, its corners among them."""
_READ_WHOLE_PX = 1 << 22
_NO_MEASUREMENT = 1e30
"""Beyond it are the extremes of floating point that writers fill in, tagged or not."""
_NO_UNIT = (1.0, 0.0)


@dataclass(frozen=True)
class Colours:
    """The look of one file.

    Attributes:
        bands: the three bands (from 1) drawn as red, green and blue.
        dtype: of the values.
        alpha: band in which 0 means no data, or None.
        masked: whether the file has a mask beside its bands.
        nodata: the value of each of the three bands that means no data, where all three have it; or None.
        palette: uint8 [N, 4] colours with alpha of a paletted band, or None.
        value_range: values drawn as black and white, or None where the values are colours of 8 bits.
        zero_is_white: whether deep values grow towards black.
        unit: (scale, offset) by which a value becomes what was measured; (1, 0) where the file does not say.
    """

    bands: tuple[int, int, int]
    dtype: str = "uint8"
    alpha: int | None = None
    masked: bool = False
    nodata: tuple[float, float, float] | None = None
    palette: NDArray[np.uint8] | None = None
    value_range: tuple[float, float] | None = None
    zero_is_white: bool = False
    unit: tuple[float, float] = _NO_UNIT

    @property
    def deep(self) -> bool:
        """Whether values are to be scaled to 8 bits."""
        return self.palette is None and self.dtype != "uint8"

    @property
    def tells_nodata(self) -> bool:
        """Whether anything says where there is no data."""
        return self.alpha is not None or self.masked or self.nodata is not None or self.palette is not None


@dataclass(frozen=True)
class Sample:
    """Some of a file's values that are data.

    Attributes:
        values: [3, N] of the three bands.
        alpha: [N] values of the alpha band, or None.
        share: how much of the file each sampled pixel stands for, in pixels.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None
    share: float


def colours_of(data: Any, bands: tuple[int, ...] | None, nodata: float | None, name: str) -> Colours:
    """The look of an open dataset.

    Args:
        data: the dataset.
        bands: one for grey or three for red, green and blue, and one more that means no data where it is 0; a band
            that the file marks as alpha then counts only where it is named. None lets the file say.
        nodata: value that means no data, in place of the file's own.
        name: of the file, for messages.

    Raises:
        BadSource: it has not the bands asked for, or values that are no colours.
    """
    chosen, alpha = choose_bands(data, bands, name)
    dtype = str(data.dtypes[chosen[0] - 1])
    if dtype.startswith("complex"):
        raise BadSource(f"{name} holds complex numbers ({dtype}); take their magnitude first")
    flags = load_rasterio().enums.MaskFlags
    mask = data.mask_flag_enums[chosen[0] - 1]
    palette = _palette(data, chosen[0])
    return Colours(
        bands=chosen,
        dtype=dtype,
        alpha=alpha,
        masked=flags.per_dataset in mask and flags.alpha not in mask,
        nodata=_nodata(data, chosen, nodata, dtype, name),
        palette=palette,
        value_range=_range_of_bits(data, chosen[0]) if dtype == "uint8" and palette is None else None,
        zero_is_white=_is_white_zero(data),
        unit=_unit(data, chosen),
    )


def read_window(
    data: Any, colours: Colours, window: Window, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Part of a file in its own pixels: uint8 [3, H, W], and bool [H, W] of where there is data."""
    values, valid = _values(data, colours, window, shape)
    if colours.palette is not None:
        index = np.clip(values[0], 0, len(colours.palette) - 1).astype(np.int64)
        valid &= (values[0] == index) & (colours.palette[index, 3] > 0)
        return np.ascontiguousarray(colours.palette[index, :3].transpose(2, 0, 1)), valid
    if colours.value_range is not None:
        low, high = colours.value_range
        span = abs(high - low)  # far beyond the ends float32 would overflow
        near = np.clip(values.astype(np.float32), min(low, high) - span, max(low, high) + span)
        scaled = (near - np.float32(low)) * np.float32(255.0 / (high - low))
        values = np.clip(np.nan_to_num(scaled), 0, 255)
    drawn = values.astype(np.uint8, copy=False)
    return np.repeat(drawn, 3, axis=0) if len(drawn) == 1 else drawn, valid


def sample_of(data: Any, colours: Colours, *, files: int) -> Sample:
    """Values from all over a file, fewer where there are many files; parts that cannot be read are left out.

    Raises:
        BadSource: no part can be read.
    """
    side = max(2, round(_SAMPLE_WINDOWS / math.sqrt(files)))
    cheap = data.width * data.height <= _READ_WHOLE_PX or bool(data.overviews(1))
    try:
        return _sample(data, colours, _whole(data) if cheap else _spread(data, side))
    except BadSource:
        if not cheap:
            raise
        return _sample(data, colours, _spread(data, side))


def _sample(data: Any, colours: Colours, windows: list[tuple[Window, tuple[int, int]]]) -> Sample:
    values, alphas, failure = [], [], None
    for window, shape in windows:
        try:
            part, valid = _values(data, colours, window, shape)
            alpha = None if colours.alpha is None else _read(data, [colours.alpha], window, shape, smooth=False)[0]
        except Exception as error:  # GDAL's errors have no common base
            failure = error.__cause__ or error
            continue
        if colours.deep and colours.nodata is not None:  # in one band only it is data, and no measure of brightness
            part = np.where(part == np.array(colours.nodata[: len(part)])[:, None, None], np.nan, part)
        values.append(np.repeat(part, 3 // len(part), axis=0)[:, valid])
        alphas += [] if alpha is None else [alpha.ravel()]
    if not values:
        raise BadSource(f"no part of {data.name} can be read: {failure}; is it complete?")
    sampled = np.concatenate(values, axis=1)
    whole = sum(shape[0] * shape[1] for _, shape in windows)
    return Sample(sampled, np.concatenate(alphas) if alphas else None, data.width * data.height / whole)


def scaled_alike(found: Sequence[tuple[Colours, Sample]]) -> list[Colours]:
    """The looks of the files of a mosaic whose deep values are of one type: each with the range of all together."""
    looks = [colours for colours, _ in found]
    measured = units_agree(looks) and len({colours.unit for colours in looks}) > 1
    ways = [_to_common(colours, measured=measured) for colours, _ in found]
    alike = [
        sample if way == _NO_UNIT else replace(sample, values=way[0] * sample.values.astype(np.float64) + way[1])
        for way, (_, sample) in zip(ways, found, strict=True)
    ]
    low, high = common_range(alike)
    return [
        replace(colours, value_range=((low - offset) / factor, (high - offset) / factor))
        for (factor, offset), (colours, _) in zip(ways, found, strict=True)
    ]


def units_agree(found: Sequence[Colours]) -> bool:
    """Whether what was measured can be compared: not where some files give a scale and others none."""
    scales = {colours.unit[0] for colours in found}
    if len({colours.unit for colours in found}) < 2:
        return True
    return not any(colours.zero_is_white for colours in found) and (len(scales) == 1 or _NO_UNIT[0] not in scales)


def _to_common(colours: Colours, *, measured: bool) -> tuple[float, float]:
    """(factor, offset) that makes a value comparable with those of other files: as measured, or turned from white."""
    if not colours.zero_is_white:
        return colours.unit if measured else _NO_UNIT
    return -1.0, float(np.iinfo(colours.dtype).max) if np.dtype(colours.dtype).kind in "iu" else 0.0


def common_range(samples: Sequence[Sample]) -> tuple[float, float]:
    """Values to draw as black and white, over all bands and files together, so that equal ground looks equal."""
    most = max((sample.share for sample in samples), default=1.0)
    parts = []
    for sample in samples:
        step = max(1, round(most / sample.share), sample.values.shape[1] * len(samples) // _SAMPLED_PX)
        parts.append(sample.values[:, ::step].astype(np.float64).ravel())
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, _PERCENTILES).tolist()
    return low, max(high, low + 1e-6)


def _values(
    data: Any, colours: Colours, window: Window, shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """[1 or 3, H, W] as stored, and bool [H, W] of where there is data."""
    bands = list(dict.fromkeys(colours.bands))
    bands = list(colours.bands) if len(bands) > 1 else bands
    values = _read(data, bands, window, shape, smooth=colours.palette is None)
    valid: NDArray[np.bool_] = np.ones(shape, np.bool_)
    if colours.alpha is not None:
        valid &= _read(data, [colours.alpha], window, shape, smooth=False)[0] > 0
    if colours.masked:
        place = load_rasterio().windows.Window(window.column, window.row, window.width, window.height)
        valid &= data.read_masks(bands[0], window=place, out_shape=shape) > 0
    if colours.nodata is not None:
        stands = np.array(colours.nodata[: len(bands)], np.float64).astype(values.dtype)[:, None, None]
        valid &= (values != stands).any(axis=0)
    if values.dtype.kind == "f":
        valid &= (np.abs(values) < _NO_MEASUREMENT).all(axis=0)  # false for NaN, too
    return values, valid


def _read(data: Any, bands: list[int], window: Window, shape: tuple[int, int], *, smooth: bool) -> NDArray[Any]:
    rasterio = load_rasterio()
    place = rasterio.windows.Window(window.column, window.row, window.width, window.height)
    how = rasterio.enums.Resampling.average if smooth else rasterio.enums.Resampling.nearest
    values: NDArray[Any] = data.read(bands, window=place, out_shape=(len(bands), *shape), resampling=how)
    return values


def _whole(data: Any) -> list[tuple[Window, tuple[int, int]]]:
    """The whole file, to be read small."""
    scale = min(1.0, _SAMPLE_WINDOWS * _SAMPLE_SIDE_PX / max(data.width, data.height))
    shape = max(1, round(data.height * scale)), max(1, round(data.width * scale))
    return [(Window(0, 0, data.width, data.height), shape)]


def _spread(data: Any, side: int) -> list[tuple[Window, tuple[int, int]]]:
    """Windows of a file from corner to corner, to be read as they are."""
    across, down = min(_SAMPLE_SIDE_PX, data.width), min(_SAMPLE_SIDE_PX, data.height)
    columns = np.unique(np.linspace(0, data.width - across, side).astype(int))
    rows = np.unique(np.linspace(0, data.height - down, side).astype(int))
    return [(Window(int(x), int(y), across, down), (down, across)) for y in rows for x in columns]


def _nodata(
    data: Any, bands: tuple[int, int, int], asked: float | None, dtype: str, name: str
) -> tuple[float, float, float] | None:
    if asked is not None:
        if not _fits(asked, dtype):
            raise BadSource(f"nodata is {asked:g}, which no value of {name} can be: they are {dtype}")
        return asked, asked, asked
    # A value that cannot occur, such as -9999 or 0.5 among bytes, would come to mean another one.
    said = (data.nodatavals[band - 1] for band in bands)
    red, green, blue = (value if value is not None and _fits(value, dtype) else None for value in said)
    return None if red is None or green is None or blue is None else (red, green, blue)


def _fits(value: float, dtype: str) -> bool:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return True
    limits = np.iinfo(kind)
    return bool(value == round(value) and limits.min <= value <= limits.max) if math.isfinite(value) else False


def _range_of_bits(data: Any, band: int) -> tuple[float, float] | None:
    """Values drawn as black and white of up to 8 bits, the first the greater where 0 is white; None for 0 to 255."""
    bits = int(data.tags(band, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    ends = 0.0, 2.0 ** min(bits, 8) - 1
    if _is_white_zero(data):
        return ends[1], ends[0]
    return ends if bits < 8 else None


def _unit(data: Any, bands: Sequence[int]) -> tuple[float, float]:
    """The scale and offset that all of some bands have; none where they differ or are no such numbers."""
    units = {(float(data.scales[band - 1]), float(data.offsets[band - 1])) for band in bands}
    if len(units) != 1:
        return _NO_UNIT
    scale, offset = units.pop()
    return (scale, offset) if scale and math.isfinite(scale) and math.isfinite(offset) else _NO_UNIT


def _is_white_zero(data: Any) -> bool:
    return bool(data.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES")


def _palette(data: Any, band: int) -> NDArray[np.uint8] | None:
    if data.colorinterp[band - 1].name != "palette":
        return None
    try:
        entries = data.colormap(band)
    except ValueError:  # marked as paletted without having one
        return None
    colours = np.zeros((max(entries) + 1, 4), np.uint8)
    for value, colour in entries.items():
        colours[value] = colour
    return colours

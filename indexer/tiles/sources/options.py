"""What part of a tile source to take, and how to cut it."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.schemes import AUTO, check_scheme
from model.common.flags import Group, Option
from model.common.geo import Bounds, parse_bounds
from model.common.specs import Wanted, spec

__all__ = ["DATE", "SourceOptions", "parse_zooms"]

DATE = "date"
"""Its name among what a manifest says of a source: when the pictures were taken, as YYYY-MM-DD."""

_Zoom = Annotated[int, Ge(0), Le(MAX_ZOOM)]
_METRES = (Ge(1.0), Le(1e6), Wanted("metres on the ground, 1 to 1,000,000"))


def _parse_bands(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} is not a list of band numbers, such as 4,3,2") from None


def parse_zooms(text: str) -> int | tuple[int, ...]:
    """One zoom, or several.

    Example:
        >>> parse_zooms("18"), parse_zooms("17,18")
        (18, (17, 18))

    Raises:
        ValueError: it is neither.
    """
    try:
        zooms = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} is no zoom, nor a list of zooms, such as 17,18") from None
    return zooms[0] if len(zooms) == 1 else zooms


@spec(error=BadSource)
class SourceOptions:
    """What part of a source to take, and how to cut it where it is not cut into tiles yet.

    Attributes:
        scheme: how rows are counted: "xyz" southwards, "tms" northwards, "zyx" southwards and before the column,
            "quadkey", a pattern of file names such as "{z}_{x}_{y}.png", or "auto" for what the source says of itself.
        zoom: the zoom to index, or several; None takes the deepest.
        bbox: only tiles that touch this box.
        tile_size_m: side on the ground of the tiles cut from a raster, or of a manifest's tiles without bounds.
        stride_m: distance on the ground between neighbouring tiles cut from a raster; None puts edge to edge.
        tile_px: side of the pictures cut from a raster.
        min_valid: share of a tile cut from a raster that must hold data.
        bands: the raster's bands (from 1) drawn as red, green and blue, or one for grey, and one more that is 0 where
            there is no data; None lets the file say.
        nodata: value of a raster that means no data, in place of what its files say.
        skip_bad: go on without the rasters of a folder that cannot be used.
        asset: which asset of STAC items is drawn.
        remote: whether and how addresses are fetched.
    """

    scheme: Annotated[
        str,
        Option(
            "how rows of tiles are counted: xyz, tms, zyx, quadkey, a pattern of file names such as "
            "{z}_{x}_{y}.png, or auto, as the source says",
            "ORDER",
        ),
    ] = AUTO
    zoom: Annotated[
        _Zoom | tuple[_Zoom, ...] | None,
        Wanted(f"0 to {MAX_ZOOM}, or several such as 17,18"),
        Option(
            "the zoom to index, or several such as 17,18 (default: the deepest; for a raster its own)",
            "Z[,Z]",
            parse=parse_zooms,
        ),
    ] = None
    bbox: Annotated[
        Bounds | None, Option("only tiles that touch this box, in degrees", "W,S,E,N", parse=parse_bounds)
    ] = None
    tile_size_m: Annotated[
        float | None, *_METRES, Option("ground side of tiles that are cut, or listed without bounds", "M")
    ] = None
    stride_m: Annotated[
        float | None, *_METRES, Option("ground distance between cut tiles (default: their side)", "M")
    ] = None
    tile_px: Annotated[int, Ge(32), Le(4096), Wanted("32 to 4096 pixels"), Option("side of cut pictures", "PX")] = 256
    min_valid: Annotated[
        float, Ge(0), Le(1), Wanted("a share in [0, 1]"), Option("least share of data in a cut tile", "SHARE")
    ] = 0.5
    bands: Annotated[
        tuple[int, ...] | None,
        Option("bands of a raster to draw, from 1 (default: as it says)", "R,G,B", parse=_parse_bands),
    ] = None

    nodata: Annotated[float | None, Option("value of a raster that means no data (default: as it says)", "VALUE")] = (
        None
    )
    skip_bad: Annotated[bool, Option("go on without the rasters of a folder that cannot be used")] = False
    asset: Annotated[
        str | None, Option("asset of STAC items to draw (default: the only GeoTIFF, or visual)", "NAME")
    ] = None
    remote: Annotated[RemoteOptions, Group("sources that are addresses")] = RemoteOptions()

    def check_together(self) -> None:
        """A stride needs the size that it is the distance between; a scheme is known, or a pattern."""
        check_scheme(self.scheme)
        if self.zooms is not None and len(set(self.zooms)) < max(1, len(self.zooms)):
            raise BadSource(f"zoom is {self.zoom}; give each zoom once, such as 17,18")
        if self.tile_size_m is not None and self.zooms is not None and len(self.zooms) > 1:
            raise BadSource(f"zoom is {self.zoom} and tile_size_m {self.tile_size_m}; give zooms, or a size in metres")
        if self.stride_m is not None and self.tile_size_m is None:
            raise BadSource(f"stride_m is {self.stride_m} but tile_size_m is not given; give both, in metres")

    @property
    def zooms(self) -> tuple[int, ...] | None:
        """The zooms asked for, ascending."""
        if self.zoom is None:
            return None
        return (self.zoom,) if isinstance(self.zoom, int) else tuple(sorted(self.zoom))

    @property
    def stated_box(self) -> dict[str, Any]:
        """The box, as a description of a source states it, where there is one."""
        return {} if self.bbox is None else {"bbox": list(self.bbox.as_tuple())}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SourceOptions:
        """The options that `TileSource.describe` stated; addresses are not allowed by them.

        Raises:
            TypeError: an unknown key.
        """
        box, said = values.get("bbox"), values.get("attribution")
        changed: dict[str, Any] = {} if box is None else {"bbox": Bounds(*box)}
        if said is not None:
            changed["remote"] = RemoteOptions(attribution=said)
        return cls(**{name: value for name, value in values.items() if name != "attribution"} | changed)

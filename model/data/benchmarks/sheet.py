"""Sample pairs as one picture: what asks on the left, its positive on the right.

A line in a panorama marks the column that looks north, a cross in a tile the place where the picture was taken: wrong
coordinates, crops and headings show at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from model.common.errors import BadDataset, BadImage
from model.common.images import decode_image
from model.data.benchmarks.benchmark import Benchmark
from model.data.benchmarks.coordinates import offset_px
from model.data.benchmarks.survey import SplitSurvey, evenly
from model.data.pairs import PairSet

__all__ = ["draw_sheet"]

_HIGH_PX, _WIDE_PX, _CAPTION_PX, _GAP_PX = 160, 440, 14, 6
_WHITE, _BLACK, _MARK = (255, 255, 255), (0, 0, 0), (255, 0, 64)
_CROSS_PX = 7


def draw_sheet(splits: Sequence[SplitSurvey], benchmark: Benchmark, path: Path, *, rows: int = 4) -> None:
    """Draw some pairs of each split that has any, and save them as PNG.

    Raises:
        BadDataset: no split has a pair that can be drawn.
    """
    drawn = [row for split in splits if split.pairs for row in _rows(split.pairs, benchmark, rows)]
    if not drawn:
        raise BadDataset(f"no pair of {benchmark.name} can be drawn for {path}; see what is missing without --png")
    sheet = Image.new(
        "RGB", (_WIDE_PX + _HIGH_PX + 3 * _GAP_PX, len(drawn) * (_HIGH_PX + _CAPTION_PX + _GAP_PX)), _WHITE
    )
    pen = ImageDraw.Draw(sheet)
    for row, (caption, left, right) in enumerate(drawn):
        top = row * (_HIGH_PX + _CAPTION_PX + _GAP_PX)
        pen.text((_GAP_PX, top), caption, fill=_BLACK)
        sheet.paste(left, (_GAP_PX, top + _CAPTION_PX))
        sheet.paste(right, (_WIDE_PX + 2 * _GAP_PX, top + _CAPTION_PX))
    sheet.save(path, "PNG")


def _rows(pairs: PairSet, benchmark: Benchmark, most: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """(caption, query, positive) of some pairs; a damaged one is left out, the report names it."""
    for number in evenly(len(pairs.queries), most):
        query, reference = pairs.queries[number], pairs.references[pairs.positives[number]]
        try:
            left, right = _scaled(query.path), _scaled(reference.path)
        except (BadImage, OSError):
            continue
        place = query.location
        if benchmark.zoom is not None and place is not None and reference.location is not None:
            right_px, down_px = offset_px(place, reference.location, benchmark.zoom)
            scale = right.width / benchmark.satellite_px
            _mark_place(right, right.width / 2 + right_px * scale, right.height / 2 + down_px * scale)
            _mark_north(left, query.heading_deg)
        where = f"  {place.lat:.6f}, {place.lon:.6f}" if place else ""
        yield f"{pairs.name} {number}{where}", left, right


def _scaled(path: Path) -> Image.Image:
    """A picture within the room for one, its shape kept."""
    picture = decode_image(path, at_least_px=(_WIDE_PX, _HIGH_PX))
    scale = min(_WIDE_PX / picture.width, _HIGH_PX / picture.height)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))


def _mark_place(tile: Image.Image, x: float, y: float) -> None:
    pen = ImageDraw.Draw(tile)
    pen.line((x - _CROSS_PX, y, x + _CROSS_PX, y), fill=_MARK, width=2)
    pen.line((x, y - _CROSS_PX, x, y + _CROSS_PX), fill=_MARK, width=2)


def _mark_north(panorama: Image.Image, heading_deg: float) -> None:
    x = (0.5 - heading_deg / 360.0) % 1.0 * panorama.width
    ImageDraw.Draw(panorama).line((x, 0, x, panorama.height / 8), fill=_MARK, width=2)

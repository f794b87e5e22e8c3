"""What it brings to lay a flat photo by its projection, and not stretched as if its columns were equal angles.

    python -m benchmarks.bench_projection --checkpoint demo

A region of the world is drawn, flat photos are cut from its panoramas, and each is laid on the canvas both ways and
searched among all tiles, with its heading known; some with their heading unknown, too. For comparison: the same angle
of the panorama itself, which is what a perfect remap would give. Writes `results/projection.json`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.record import write_record
from model.data.manifest import read_manifest
from model.inputs.heading_search import search_headings
from model.inputs.lens import flat_vertical_deg
from model.inputs.photo_projection import lay_photo
from model.inputs.photo_view import ResolvedView
from model.inputs.transforms import InputSpec, lay_panorama, limit_view, resize_tile
from model.network.encoder import Encoder
from model.synthetic.plane import ORIGIN
from model.synthetic.tile_region import Region, render_region

_Pixels = NDArray[np.uint8]
_LENSES: dict[str, tuple[float, float]] = {
    "67 degrees, 4:3": (67.0, 4 / 3),
    "53 degrees, 3:4": (53.0, 3 / 4),
    "90 degrees, 4:3": (90.0, 4 / 3),
    "110 degrees, 4:3": (110.0, 4 / 3),
}
"""Horizontal angle and shape: a phone across and upright, a wide and a very wide lens."""
_SEARCHED = ("67 degrees, 4:3", "90 degrees, 4:3")
"""Those for which all headings are tried, too, which takes thirty times as long."""
_WIDTH_PX = 400


def main() -> None:
    """Draw, cut, lay, search, print a table, record it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--seed", type=int, default=9001, help="of the world (default: %(default)s)")
    parser.add_argument("--side", type=int, default=20, help="tiles along each side (default: %(default)s)")
    parser.add_argument("--panoramas", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--searched", type=int, default=100, help="photos with unknown heading (default: %(default)s)")
    parser.add_argument(
        "--region", type=Path, help="folder to draw it into, or where it was drawn (default: none kept)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that draw (default: %(default)s)")
    args = parser.parse_args()
    encoder = Encoder.load(args.checkpoint)
    region = Region(args.seed, ORIGIN, args.side, args.panoramas)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.region or Path(temporary) / "region"
        if not folder.exists():
            with tqdm(total=region.tiles, desc="tiles") as bar:
                render_region(region, folder, workers=args.workers, progress=bar.update)
        result = _measure(encoder, folder / "pairs.csv", args.searched)
    result = {
        "checkpoint": args.checkpoint,
        "region": f"seed {args.seed}, {region.side} x {region.side} tiles",
        **result,
    }
    print(write_record("projection", result))


def _measure(encoder: Encoder, manifest: Path, searched: int) -> dict[str, Any]:
    pairs, inputs = read_manifest(manifest), encoder.inputs
    tiles = np.stack([resize_tile(Image.open(tile.path), inputs) for tile in pairs.references])
    gallery = np.concatenate([encoder.encode_satellite(batch) for batch in np.array_split(tiles, len(tiles) // 32 + 1)])
    anchors = gallery.reshape(len(tiles), -1, encoder.dim)
    panoramas = [np.asarray(Image.open(query.path)) for query in pairs.queries]
    result: dict[str, Any] = {"tiles": len(tiles), "photos": len(panoramas), "searched": searched, "recall_at_1": {}}
    for name, (fov_deg, aspect) in _LENSES.items():
        for how, lay in _ways(fov_deg, aspect, inputs).items():
            canvases = [lay(panorama) for panorama in tqdm(panoramas, desc=f"{name}, {how}")]
            found = {"known heading": _recall(encoder, anchors, canvases, pairs.positives, 0.0)}
            if name in _SEARCHED:
                found["unknown heading"] = _recall(encoder, anchors, canvases[:searched], pairs.positives, None)
            result["recall_at_1"].setdefault(name, {})[how] = found
            print(f"{name:20} {how:10} R@1 {found}", flush=True)
    return result


def _ways(fov_deg: float, aspect: float, inputs: InputSpec) -> dict[str, Callable[[_Pixels], _Pixels]]:
    """From a panorama to a canvas: through a flat photo laid in two ways, and directly."""
    height_px = round(_WIDTH_PX / aspect)
    vertical_deg = flat_vertical_deg(fov_deg, _WIDTH_PX, height_px)
    view = ResolvedView(0.0, fov_deg, vertical_deg, projection="rectilinear")
    return {
        "stretched": lambda panorama: lay_panorama(_photo(panorama, fov_deg, height_px), inputs, fov_deg=fov_deg),
        "remapped": lambda panorama: lay_photo(_photo(panorama, fov_deg, height_px), inputs, view),
        "panorama": lambda panorama: limit_view(lay_panorama(Image.fromarray(panorama), inputs), fov_deg, 0.0),
    }


def _photo(panorama: _Pixels, fov_deg: float, height_px: int) -> Image.Image:
    """What a lens without distortion sees of a panorama [H, W, 3] in its centre; four samples a pixel."""
    width, height = 2 * _WIDTH_PX, 2 * height_px
    reach = np.tan(np.radians(fov_deg) / 2)
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * reach
    y = (1 - (np.arange(height) + 0.5) / height * 2) * reach * height / width
    azimuth, elevation = np.arctan(x), np.arctan2(y[:, np.newaxis], np.hypot(1.0, x))
    rows, columns = panorama.shape[:2]
    column = np.floor((azimuth / (2 * np.pi) + 0.5) * columns).astype(np.int64)
    row = np.floor((0.5 - elevation / np.pi) * rows).astype(np.int64)
    seen = panorama[row, column].reshape(height_px, 2, _WIDTH_PX, 2, 3)
    return Image.fromarray(np.round(seen.mean(axis=(1, 3))).astype(np.uint8))


class _Ranking:
    """Tiles by their best anchor."""

    def __init__(self, scores: NDArray[np.float32]) -> None:
        best = scores.max(axis=1)
        self.rows = np.argsort(-best)[:5]
        self.scores = best[self.rows]
        self.anchors = scores[self.rows].argmax(axis=1)


def _recall(
    encoder: Encoder,
    anchors: NDArray[np.float32],
    canvases: list[_Pixels],
    tiles: NDArray[np.int64],
    heading_deg: float | None,
) -> float:
    found = [_best(encoder, anchors, canvas, heading_deg) for canvas in canvases]
    return round(float(np.mean(np.array(found) == tiles[: len(found)])), 4)


def _best(encoder: Encoder, anchors: NDArray[np.float32], canvas: _Pixels, heading_deg: float | None) -> int:
    """The row of the best tile."""

    def find(vectors: NDArray[np.float32]) -> list[_Ranking]:
        return [_Ranking(anchors @ vector) for vector in vectors]

    return search_headings(canvas, encoder, find, heading_deg=heading_deg)[0].row


if __name__ == "__main__":
    main()

"""What it brings to answer several photos of one place together.

    python -m benchmarks.bench_together --region region

A region that `python -m model render region` drew is indexed. Of each panorama views of 90 degrees are cut at headings
drawn for it, spread evenly around: one, two, four, eight (which overlap), asked together with their headings known, and
fewer of them with unknown headings; for comparison the whole panorama. Writes `results/together.json`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.record import write_record
from benchmarks.rendered_region import placed, region_options
from indexer.building.build import build_index
from indexer.index.tile_index import TileIndex
from indexer.localization.answer import Localization
from indexer.localization.localizer import Localizer
from indexer.tiles.sources.open_source import open_source
from model.common.geo import LatLon
from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.inputs.photo_view import GivenView
from model.network.encoder import Encoder

FOV_DEG = 90.0
_VIEWS = (1, 2, 4, 8)


def main() -> None:
    """Index, cut, ask, print, record."""
    args = region_options(__doc__, asked="places", count=200, searched=50)
    pairs, encoder = read_manifest(args.region / "pairs.csv"), Encoder.load(args.checkpoint)
    result: dict[str, Any] = {"checkpoint": args.checkpoint, "tiles": len(pairs.references), "beside": args.beside}
    with tempfile.TemporaryDirectory() as temporary:
        build_index(open_source(args.region / "tiles"), encoder, Path(temporary) / "index")
        localizer = Localizer(encoder, TileIndex.open(Path(temporary) / "index"))
        for known, places in ((True, args.places), (False, args.searched)):
            name = "known headings" if known else "unknown headings"
            result[name] = _measure(localizer, pairs, places, known=known)
            for views, worth in result[name].items():
                print(f"{name:18} {views:16} {worth}", flush=True)
    print(write_record("together", result))


def _measure(localizer: Localizer, pairs: PairSet, places: int, *, known: bool) -> dict[str, Any]:
    result = {}
    for count in _VIEWS:
        answers = [
            ask_views(localizer, *views_of(decode_image(query.path), count, number), known=known)
            for number, query in enumerate(tqdm(pairs.queries[:places], desc=f"{count} views", disable=None))
        ]
        result[f"{count} of 90 degrees"] = _worth(answers, pairs)
    whole = [
        ask_views(localizer, [decode_image(query.path)], [0.0], known=known, fov_deg=360.0)
        for query in pairs.queries[:places]
    ]
    return result | {"whole panorama": _worth(whole, pairs)}


def views_of(panorama: Image.Image, count: int, number: int) -> tuple[list[Image.Image], list[float]]:
    """Parts of 90 degrees of a panorama whose centre looks north, and where their centres look."""
    width = panorama.width
    first = np.random.default_rng(number).integers(width)
    starts = [(int(first) + width * view // count) % width for view in range(count)]
    pixels = np.asarray(panorama)
    parts = [np.roll(pixels, -start, axis=1)[:, : width // 4] for start in starts]
    headings = [((start + width / 8) / width - 0.5) * 360.0 for start in starts]
    return [Image.fromarray(part) for part in parts], headings


def ask_views(
    localizer: Localizer,
    photos: Sequence[Image.Image],
    headings: Sequence[float],
    *,
    known: bool = True,
    fov_deg: float = FOV_DEG,
    vertical_deg: float = 180.0,
) -> Localization:
    """One answer for parts of a panorama; where the headings are not `known`, they are searched for."""
    given = [
        GivenView(heading if known else "unknown", fov_deg, vertical_deg, projection="equirectangular")
        for heading in headings
    ]
    return localizer.localize_together(photos, given, top_k=1).found


def _worth(answers: Sequence[Localization], pairs: PairSet) -> dict[str, float]:
    tiles = [found.matches[0].tile for found in answers]
    found = zip(
        range(len(answers)),
        (LatLon(tile.lat, tile.lon) for tile in tiles),
        (found.position.centre for found in answers),
        strict=True,
    )
    ms_each = round(1000 * float(np.mean([found.seconds["total"] for found in answers])), 1)
    return {"places": len(answers), **placed(pairs, found), "ms_each": ms_each}


if __name__ == "__main__":
    main()

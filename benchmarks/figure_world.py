"""Draw `docs/images/world.jpg`: tiles of a split of the world, each beside the panorama taken within it.

python -m benchmarks.figure_world
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from model.data.sources import open_pairs

_ROWS, _SIDE_PX = 6, 180


def main() -> None:
    """Render the split if it is not there, paste some of its pairs into one picture."""
    pairs = open_pairs("world:cross-area")
    sheet = Image.new("RGB", (2 * 5 * _SIDE_PX + 8, _ROWS * _SIDE_PX), "white")
    for number, index in enumerate(range(0, len(pairs.queries), len(pairs.queries) // (2 * _ROWS))):
        if number == 2 * _ROWS:
            break
        left, top = (number % 2) * (5 * _SIDE_PX + 8), number // 2 * _SIDE_PX
        tile = Image.open(pairs.references[pairs.positives[index]].path)
        sheet.paste(tile.resize((_SIDE_PX, _SIDE_PX)), (left, top))
        panorama = Image.open(pairs.queries[index].path).resize((4 * _SIDE_PX, _SIDE_PX))
        sheet.paste(panorama, (left + _SIDE_PX, top))
    out = Path("docs/images/world.jpg")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, quality=80)
    print(out)


if __name__ == "__main__":
    main()

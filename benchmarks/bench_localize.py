"""How fast a folder of photos is answered, and how well, by what is known of their headings.

    python -m benchmarks.bench_localize --region region

A region that `python -m model render region` drew is indexed, and its panoramas, whose XMP says where they look, are
answered by `python -m indexer localize FOLDER`: against the encoder's bare forward pass over the same canvases, and
against one command a photo. R@1 (the best tile is the photo's own) and the median error are measured with the heading
given, read from the photo, and unknown. Writes `results/localize.json`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import write_record
from benchmarks.rendered_region import placed, region_options
from clnet_geolocalization import command as own_command
from model.common.geo import LatLon
from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.inputs.transforms import lay_panorama
from model.network.encoder import Encoder

_ALONE = 10
"""Photos that are asked with a command each."""
_BATCH = 16


def main() -> None:
    """Index, answer in every way, print, record."""
    args = region_options(__doc__, asked="photos", count=1_000, searched=100)
    pairs = read_manifest(args.region / "pairs.csv")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        paths = [query.path for query in pairs.queries[: args.photos]]
        folders = {count: _folder(work / str(count), paths[:count]) for count in (len(paths), args.searched)}
        index = [*_tool("build", "--tiles", args.region / "tiles", "--out", work / "index"), "--quiet"]
        subprocess.run([*index, "--checkpoint", args.checkpoint], check=True)
        asking = _tool("localize", "--index", work / "index", "--checkpoint", args.checkpoint, "--json", "--quiet")
        result: dict[str, Any] = {"checkpoint": args.checkpoint, "tiles": len(pairs.references), "beside": args.beside}
        result |= {"photos": len(paths), "searched": args.searched, "speed": {}, "answers": {}}
        read, seconds = _timed([*asking, str(folders[len(paths)])])
        result["answers"]["read from the photo"] = _worth(read, pairs)
        given, _ = _timed([*asking, str(folders[len(paths)]), "--heading-deg", "0"])
        result["answers"]["given"] = _worth(given, pairs)
        searched, searched_s = _timed([*asking, str(folders[args.searched]), "--heading-deg", "unknown"])
        result["answers"]["unknown"] = _worth(searched, pairs)
        alone_s = sum(_timed([*asking, str(path)])[1] for path in paths[:_ALONE])
        result["speed"] = {
            "bare forward pass": _rate(len(paths), _forward_s(args.checkpoint, paths)),
            "folder, heading read from the photo": _rate(len(paths), seconds),
            "folder, heading unknown": _rate(args.searched, searched_s),
            "one command a photo": _rate(_ALONE, alone_s),
        }
    for part in ("speed", "answers"):
        for name, value in result[part].items():
            print(f"{name:36} {value}", flush=True)
    print(write_record("localize", result))


def _tool(*arguments: str | Path) -> list[str]:
    return own_command("indexer", *map(str, arguments))


def _folder(folder: Path, paths: Sequence[Path]) -> Path:
    """Links to photos."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return folder


def _timed(command: Sequence[str]) -> tuple[list[dict[str, Any]], float]:
    """The answers of a command, and its seconds with start and loading."""
    began = time.perf_counter()
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in printed.splitlines()], time.perf_counter() - began


def _forward_s(checkpoint: str, paths: Sequence[Path]) -> float:
    """Seconds of the encoder alone, over canvases that lie ready."""
    encoder = Encoder.load(checkpoint)
    canvases = np.stack([lay_panorama(decode_image(path), encoder.inputs) for path in paths])
    encoder.encode_ground(canvases[:_BATCH])
    began = time.perf_counter()
    for start in range(0, len(canvases), _BATCH):
        encoder.encode_ground(canvases[start : start + _BATCH])
    return time.perf_counter() - began


def _rate(photos: int, seconds: float) -> dict[str, float]:
    return {"photos": photos, "seconds": round(seconds, 2), "photos_per_s": round(photos / seconds, 2)}


def _worth(answers: Sequence[dict[str, Any]], pairs: PairSet) -> dict[str, float]:
    """R@1 and the distances of the estimates."""
    of_name = {query.path.name: row for row, query in enumerate(pairs.queries)}
    found = (
        (of_name[Path(answer["photo"]).name], _place(answer["matches"][0]), _place(answer["estimate"]))
        for answer in answers
    )
    warned = sum(bool(answer["warnings"]) for answer in answers)
    return {"photos": len(answers), **placed(pairs, found), "warned": warned}


def _place(part: dict[str, Any]) -> LatLon:
    return LatLon(part["lat"], part["lon"])


if __name__ == "__main__":
    main()

"""How fast a folder of photos is answered, how well, and how honestly, by what is known of their headings.

    python -m model render pairs --data world:cross-area --out pairs
    python -m benchmarks.bench_localize --data pairs/pairs.csv

Four fifths of the split's areas are indexed; its panoramas, turned and told by their XMP where they look
(`asked_photos`), are answered by `python -m indexer localize`: speed against the encoder's bare forward pass over the
same canvases, and against one command a photo. R@1 (the best tile is the photo's own) and errors are measured with the
heading given in a table, read from the photo, and unknown; and what a second look at the best 50 tiles, and several
views of one place, bring. Calibrations are fitted on half of other photos, some of them taken outside of the index, and
measured on the other half. Writes `results/localize.json`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.asked_photos import AskedPhoto, lay_photos, spread, write_known, write_table
from benchmarks.bench_together import FOV_DEG, ask_views, views_of
from benchmarks.record import write_record
from clnet_geolocalization import command as own_command
from indexer.localization.localizer import Localizer
from model.common.geo import LatLon, great_circle_m
from model.common.images import decode_image
from model.inputs.transforms import lay_panorama
from model.network.encoder import Encoder
from model.network.specs import DEFAULT_CHECKPOINT
from model.synthetic.splits import TILE_M

_ALONE = 10
"""Photos that are asked with a command each."""
_BATCH = 16
_AGAIN = 50
_TOGETHER = (1, 2, 4)
_SAME_TILE_M = 1.0
_Spent = tuple[float, float]
"""Seconds, and seconds of processors: of these the other programs of a busy machine take none."""


def main() -> None:
    """Lay out, index, answer in every way, calibrate, print, record."""
    args = _options()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        asked = lay_photos(args.data, work, inside=args.photos + args.known, elsewhere=args.known)
        numbers = set(spread(range(len(asked.inside)), args.photos))
        photos = [photo for at, photo in enumerate(asked.inside) if at in numbers]
        known = [photo for at, photo in enumerate(asked.inside) if at not in numbers]
        index = work / "index"
        build = _tool("build", "--tiles", asked.tiles, "--tile-size-m", TILE_M, "--out", index, "--quiet")
        subprocess.run([*build, "--checkpoint", args.checkpoint], check=True)
        ask = _Asking(work, index, args.checkpoint, photos, spread(photos, args.searched))
        result = {
            "checkpoint": args.checkpoint,
            "beside": args.beside,
            "tiles": asked.count,
            **ask.alone_and_in_a_folder(),
            "together": _together(index, args.checkpoint, spread(photos, args.searched)),
            "calibration": _calibrate(work, index, args.checkpoint, [*known, *asked.elsewhere]),
        }
    for part in ("speed", "together", "calibration"):
        for name, value in result[part].items():
            print(f"{name:40} {value}", flush=True)
    print(write_record("localize", result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="pairs.csv of a rendered split of the world")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="bundle folder, or the name of a packaged one")
    parser.add_argument("--photos", type=int, default=1_000, help="in the folder (default: %(default)s)")
    parser.add_argument("--searched", type=int, default=100, help="of them asked the slow ways (default: %(default)s)")
    parser.add_argument("--known", type=int, default=200, help="to calibrate, and as many from outside of the index")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    return parser.parse_args()


class _Asking:
    """Commands that answer photos, with a folder for all of them and one for some."""

    def __init__(
        self, work: Path, index: Path, checkpoint: str, photos: Sequence[AskedPhoto], some: Sequence[AskedPhoto]
    ) -> None:
        self._work, self._checkpoint, self._photos, self._some = work, checkpoint, photos, some
        self._of_path = {photo.path.name: photo for photo in photos}
        self._command = _tool("localize", "--index", index, "--checkpoint", checkpoint, "--json", "--quiet")

    def alone_and_in_a_folder(self) -> dict[str, Any]:
        """Speed and answers of every way to ask."""
        everything, some = self._folder("all", self._photos), self._folder("some", self._some)
        table = write_table(self._work / "photos.csv", self._photos)
        answers, speed = {}, {"bare forward pass": _rate(len(self._photos), self._forward_s())}
        ways: tuple[tuple[str, int, list[str | Path]], ...] = (
            ("read from the photo", len(self._photos), [everything]),
            ("given in a table", len(self._photos), [table]),
            ("unknown", len(self._some), [some, "--heading-deg", "unknown"]),
            (f"read, {len(self._some)} of them", len(self._some), [some]),
            (f"the same, {_AGAIN} tiles looked at again", len(self._some), [some, "--rerank", str(_AGAIN)]),
        )
        for name, count, arguments in ways:
            found, spent = self._timed(arguments)
            answers[name], speed[f"folder, {name}"] = self._worth(found), _rate(count, spent)
            print(f"{name:40} {answers[name]} {speed[f'folder, {name}']}", flush=True)
        alone = np.sum([self._timed([photo.path])[1] for photo in self._photos[:_ALONE]], axis=0)
        speed["one command a photo"] = _rate(_ALONE, (float(alone[0]), float(alone[1])))
        return {"photos": len(self._photos), "speed": speed, "answers": answers}

    def _folder(self, name: str, photos: Sequence[AskedPhoto]) -> Path:
        """Links to photos."""
        folder = self._work / name
        folder.mkdir()
        for photo in photos:
            (folder / photo.path.name).symlink_to(photo.path)
        return folder

    def _timed(self, arguments: Sequence[str | Path]) -> tuple[list[dict[str, Any]], _Spent]:
        """The answers of a command, and what it took with start and loading."""
        command = [*self._command, *map(str, arguments)]
        began, cpu_began = time.perf_counter(), _cpu_s(resource.RUSAGE_CHILDREN)
        printed = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ).stdout
        spent = time.perf_counter() - began, _cpu_s(resource.RUSAGE_CHILDREN) - cpu_began
        return [json.loads(line) for line in printed.splitlines()], spent

    def _forward_s(self) -> _Spent:
        """What the encoder alone takes, over canvases that lie ready."""
        encoder = Encoder.load(self._checkpoint)
        pictures = (decode_image(photo.path) for photo in self._photos)
        canvases = np.stack([lay_panorama(picture, encoder.inputs) for picture in pictures])
        encoder.encode_ground(canvases[:_BATCH])
        began, cpu_began = time.perf_counter(), _cpu_s(resource.RUSAGE_SELF)
        for start in range(0, len(canvases), _BATCH):
            encoder.encode_ground(canvases[start : start + _BATCH])
        return time.perf_counter() - began, _cpu_s(resource.RUSAGE_SELF) - cpu_began

    def _worth(self, answers: Sequence[dict[str, Any]]) -> dict[str, float]:
        asked = [self._of_path[Path(answer["photo"]).name] for answer in answers]
        tiles, places = (
            [LatLon(part["lat"], part["lon"]) for part in parts]
            for parts in ((one["matches"][0] for one in answers), (one["estimate"] for one in answers))
        )
        return _worth(asked, tiles, places) | {"warned": sum(bool(answer["warnings"]) for answer in answers)}


def _together(index: Path, checkpoint: str, photos: Sequence[AskedPhoto]) -> dict[str, Any]:
    """Views of known heading, cut from the panoramas as they were drawn."""
    localizer = Localizer.open(index, checkpoint=checkpoint)
    result = {}
    for count in _TOGETHER:
        found = []
        for number, photo in enumerate(photos):
            views, headings = views_of(decode_image(photo.query.path), count, number)
            found.append(ask_views(localizer, views, headings, vertical_deg=photo.query.vertical_deg or 180.0))
        tiles = [LatLon(one.matches[0].tile.lat, one.matches[0].tile.lon) for one in found]
        result[f"{count} views of {FOV_DEG:g} degrees"] = _worth(photos, tiles, [one.position.centre for one in found])
    return result


def _calibrate(work: Path, index: Path, checkpoint: str, photos: Sequence[AskedPhoto]) -> dict[str, Any]:
    """Fitted on every second photo, measured on the others."""
    options = ["--index", index, "--checkpoint", checkpoint, "--json", "--quiet"]
    fit, other = (write_known(work / f"{name}.csv", photos[part::2]) for part, name in enumerate(("fit", "other")))
    subprocess.run(_tool("calibrate", "--queries", fit, *options), check=True, stdout=subprocess.DEVNULL)
    command = _tool("calibrate", "--check", "--queries", other, *options)
    checked = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["checked"]
    told = ("photos", "inside", "right", "ece", "brier", "auroc", "auroc_inside")
    return {f"{one['heading']} headings": {name: one[name] for name in told} for one in checked}


def _worth(asked: Sequence[AskedPhoto], tiles: Sequence[LatLon], places: Sequence[LatLon]) -> dict[str, float]:
    """How many best tiles are the photos' own, and how far off the estimates are."""
    right, errors_m = [], []
    for photo, tile, place in zip(asked, tiles, places, strict=True):
        assert photo.tile.location is not None
        assert photo.query.location is not None
        right.append(great_circle_m(photo.tile.location, tile) < _SAME_TILE_M)
        errors_m.append(great_circle_m(photo.query.location, place))
    return {
        "photos": len(asked),
        "recall_at_1": round(float(np.mean(right)), 4),
        "median_m": round(float(np.median(errors_m)), 1),
        "p90_m": round(float(np.quantile(errors_m, 0.9)), 1),
    }


def _tool(*arguments: object) -> list[str]:
    return own_command("indexer", *map(str, arguments))


def _cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _rate(photos: int, spent: _Spent) -> dict[str, float]:
    seconds, cpu_s = spent
    return {
        "photos": photos,
        "seconds": round(seconds, 2),
        "photos_per_s": round(photos / seconds, 2),
        "processor_s": round(cpu_s, 2),
        "photos_per_processor_s": round(photos / cpu_s, 2),
    }


if __name__ == "__main__":
    main()

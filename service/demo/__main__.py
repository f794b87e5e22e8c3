"""The demo: start `python -m service up` on a synthetic region, localize its panoramas over HTTP, and go on serving.

Everything goes through the public interfaces: the region and the index are made by the commands that a user would type,
and the panoramas are posted as any client would post them. A second run reuses what is there.
"""

from __future__ import annotations

import csv
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from clnet_geolocalization import command as own_command
from model.common.command_line import run
from model.common.errors import GeoLocalizationError
from model.common.flags import Option, Parser, add_flags, read_flags
from model.common.geo import Bounds, LatLon, great_circle_m
from model.common.specs import spec
from service.first_start.ports import require_free

if TYPE_CHECKING:
    from service.client import Client
    from service.schemas import LocalizeAnswer

_REJECTED_BELOW = 0.5
"""Confidence below which the demo calls an answer rejected."""

__all__ = ["Outcome", "Shot", "main", "read_shots", "report"]


@spec(kw_only=True)
class DemoOptions:
    """Where the demo lies, and where it is served."""

    data: Annotated[Path, Option("folder of region and index", "FOLDER")] = Path("clnet-data")
    port: Annotated[int, Ge(1), Le(65535), Option("port to serve at, on 127.0.0.1", "PORT")] = 8000
    once: Annotated[bool, Option("stop after the report instead of going on serving")] = False


class DemoFailed(GeoLocalizationError, RuntimeError):
    """The service did not come up."""


@dataclass(frozen=True)
class Shot:
    """A panorama of the region, and where it was taken."""

    path: Path
    place: LatLon


@dataclass(frozen=True)
class Outcome:
    """What the service said about a shot."""

    shot: Shot
    answer: LocalizeAnswer

    @property
    def distance_m(self) -> float:
        """From the true place to the estimate."""
        estimate = self.answer.estimate
        return great_circle_m(self.shot.place, LatLon(estimate.lat, estimate.lon))

    @property
    def lead(self) -> float:
        """How much higher the best tile scores than the second."""
        scores = [match.score for match in self.answer.matches]
        return scores[0] - scores[1] if len(scores) > 1 else 0.0

    @property
    def confidence(self) -> float | None:
        """How probable the service holds its estimate to be; None where the index is not calibrated."""
        return self.answer.estimate.confidence

    @property
    def rejected(self) -> bool:
        """Whether the service holds its estimate to be more probably wrong than right."""
        return self.confidence is not None and self.confidence < _REJECTED_BELOW

    @property
    def on_right_tile(self) -> bool:
        """Whether the best tile covers the true place."""
        return Bounds(*self.answer.matches[0].bounds).contains(self.shot.place)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo until it is stopped with Ctrl-C."""
    parser = Parser(prog="python -m service.demo", description=__doc__.splitlines()[0])
    add_flags(parser, DemoOptions)
    parsed = vars(parser.parse_args(argv))
    return run(lambda: _demo(read_flags(DemoOptions, parsed)))


def _demo(options: DemoOptions) -> int:
    from service.client import Client

    data, port = options.data, options.port
    url = f"http://127.0.0.1:{port}"
    require_free("127.0.0.1", port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the service ends with its demo
    if not (data / "demo" / "index").is_dir():
        sys.stdout.write(
            "first run: rendering a synthetic region of 1,024 tiles, indexing and calibrating it (a few minutes)\n"
        )
        sys.stdout.flush()
    with _service(data, port) as process, Client(url) as client:
        _wait_until_ready(client, process)
        inside, outside = (
            [Outcome(shot, client.localize(shot.path)) for shot in read_shots(data / "demo" / name / "pairs.csv")]
            for name in ("region", "elsewhere")
        )
        sys.stdout.write(report(inside, outside, url))
        sys.stdout.flush()
        return 0 if options.once else _serve_on(process)


def read_shots(manifest: Path) -> list[Shot]:
    """The panoramas of a rendered region; none where there is no such region."""
    if not manifest.is_file():
        return []
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["query"]]
    return [Shot(manifest.parent / row["query"], LatLon(float(row["lat"]), float(row["lon"]))) for row in rows]


def report(outcomes: Sequence[Outcome], outside: Sequence[Outcome], url: str) -> str:
    """What the demo prints: a line for every panorama, the surest match in full, and what was taken elsewhere."""
    distances = [outcome.distance_m for outcome in outcomes]
    right = sum(outcome.on_right_tile for outcome in outcomes)
    tiles = outcomes[0].answer.index.tiles
    surest = max(outcomes, key=lambda outcome: (outcome.confidence or 0.0, outcome.lead))
    lines = [
        "",
        f"{'panorama':28} {'best tile':>17} {'score':>6} {'lead':>6} {'confidence':>10} {'off by':>9}",
        *map(_line, outcomes),
        "",
        f"{right} of {len(outcomes)} placed on the right tile of {tiles:,}; median distance "
        f"{statistics.median(distances):.0f} m (the cameras stand anywhere in the middle half of a tile)",
        "",
        "the surest:",
        *_in_full(surest),
        "",
        *_elsewhere(outside),
        "The region is synthetic. What to expect of real photos: docs/results/real.md",
        f"serving at {url} (a page to try it; the API at {url}/docs; stop with Ctrl-C)",
        "",
    ]
    return "\n".join(lines)


def _line(outcome: Outcome) -> str:
    match = outcome.answer.matches[0]
    name, off = outcome.shot.path.name, f"{outcome.distance_m:7.0f} m"
    return f"{name:28} {match.tile_id:>17} {match.score:6.3f} {outcome.lead:6.3f} {_percent(outcome):>10} {off}"


def _in_full(outcome: Outcome) -> list[str]:
    match, estimate, place = outcome.answer.matches[0], outcome.answer.estimate, outcome.shot.place
    return [
        f"  panorama    {outcome.shot.path}",
        f"  match       tile {match.tile_id}, score {match.score:.3f}",
        f"  estimate    {estimate.lat:.6f}, {estimate.lon:.6f}",
        f"  true place  {place.lat:.6f}, {place.lon:.6f}",
        f"  distance    {outcome.distance_m:.1f} m",
        f"  confidence  {_percent(outcome)}",
    ]


def _elsewhere(outside: Sequence[Outcome]) -> list[str]:
    """What the service says of photos that no tile of the index shows."""
    if not outside:
        return []
    rejected = sum(outcome.rejected for outcome in outside)
    return [
        f"taken kilometres outside of the region: {rejected} of {len(outside)} rightly rejected "
        f"(confidence below {_REJECTED_BELOW:.0%})",
        *map(_line, outside),
        "",
    ]


def _percent(outcome: Outcome) -> str:
    """In whole percent; never quite none or all, which no confidence is."""
    confidence = outcome.confidence
    if confidence is None:
        return "none"
    return "<1%" if confidence < 0.005 else ">99%" if confidence >= 0.995 else f"{confidence:.0%}"


@contextmanager
def _service(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = own_command("service", "up", "--data", str(data), "--port", str(port), "--log-level", "warning")
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(client: Client, process: subprocess.Popen[bytes]) -> None:
    while not client.is_ready():
        if process.poll() is not None:
            raise DemoFailed(_why_ended(process.returncode))
        time.sleep(0.2)


def _why_ended(status: int) -> str:
    if status < 0:
        return f"the service was stopped by {signal.Signals(-status).name}; start the demo again to go on"
    return f"the service ended with {status}; its own message above says why"


def _serve_on(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())

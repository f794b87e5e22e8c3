"""The demo: start `python -m service up` on a synthetic region, localize its panoramas over HTTP, and go on serving.

Everything goes through the public interfaces: the region and the index are made by the commands that a user would type,
and the panoramas are posted as any client would post them. A second run reuses what is there.
"""

from __future__ import annotations

import argparse
import csv
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.commandline import run
from model.errors import GeoLocalizationError
from model.geo import LatLon, great_circle_m

__all__ = ["Outcome", "Shot", "localize", "main", "read_shots", "report"]


class DemoFailed(GeoLocalizationError, RuntimeError):
    """The service did not come up, or did not answer."""


@dataclass(frozen=True)
class Shot:
    """A panorama of the region, and where it was taken."""

    path: Path
    place: LatLon


@dataclass(frozen=True)
class Outcome:
    """What the service said about a shot."""

    shot: Shot
    answer: dict[str, Any]

    @property
    def distance_m(self) -> float:
        """From the true place to the estimate."""
        estimate = self.answer["estimate"]
        return great_circle_m(self.shot.place, LatLon(estimate["lat"], estimate["lon"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo until it is stopped with Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m service.demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path("clnet-data"), help="folder of region and index (default clnet-data)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port to serve at, on 127.0.0.1 (default 8000)")
    parser.add_argument("--once", action="store_true", help="stop after the report instead of going on serving")
    arguments = parser.parse_args(argv)
    return run(lambda: _demo(arguments.data, arguments.port, once=arguments.once))


def _demo(data: Path, port: int, *, once: bool) -> int:
    url = f"http://127.0.0.1:{port}"
    _require_free(port)
    if not (data / "demo" / "index").is_dir():
        sys.stdout.write("first run: rendering a synthetic region of 1,024 tiles and indexing it (about two minutes)\n")
        sys.stdout.flush()
    with _service(data, port) as process:
        _wait_until_ready(url, process)
        shots = read_shots(data / "demo" / "region" / "pairs.csv")
        outcomes = [Outcome(shot, localize(url, shot.path)) for shot in shots]
        sys.stdout.write(report(outcomes, url))
        sys.stdout.flush()
        return 0 if once else _serve_on(process)


def read_shots(manifest: Path) -> list[Shot]:
    """The panoramas of a rendered region."""
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["query"]]
    return [Shot(manifest.parent / row["query"], LatLon(float(row["lat"]), float(row["lon"]))) for row in rows]


def localize(url: str, photo: Path) -> dict[str, Any]:
    """Post a photo as `POST /localize` wants it; returns the parsed answer.

    Raises:
        DemoFailed: the service answered with an error.
    """
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="panorama"; filename="{photo.name}"\r\n'
    body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(f"{url}/localize", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise DemoFailed(f"{url}/localize answered {error.code}: {error.read().decode(errors='replace')}") from error
    return answer


def report(outcomes: Sequence[Outcome], url: str) -> str:
    """What the demo prints: one localization in full, then all of them in two lines."""
    first = outcomes[0]
    match, estimate, place = first.answer["matches"][0], first.answer["estimate"], first.shot.place
    near = sum(1 for outcome in outcomes if outcome.distance_m <= estimate_tolerance_m(outcome))
    distances = sorted(outcome.distance_m for outcome in outcomes)
    return (
        f"\nposted      {first.shot.path}\n"
        f"match       tile {match['tile_id']}, score {match['score']:.3f}, of {first.answer['index']['tiles']} tiles\n"
        f"estimate    {estimate['lat']:.6f}, {estimate['lon']:.6f}\n"
        f"true place  {place.lat:.6f}, {place.lon:.6f}\n"
        f"distance    {first.distance_m:.1f} m\n\n"
        f"all {len(outcomes)} panoramas of the region: {near} placed on the right tile, "
        f"median distance {distances[len(distances) // 2]:.1f} m\n"
        "The region is synthetic, and the network was trained on other synthetic worlds only.\n\n"
        f"serving at  {url}   (a page to try it, API at {url}/docs; stop with Ctrl-C)\n"
    )


def estimate_tolerance_m(outcome: Outcome) -> float:
    """Half the diagonal of the best tile: an estimate that near lies on the right tile, or touches it."""
    west, south, east, north = outcome.answer["matches"][0]["bounds"]
    return great_circle_m(LatLon(south, west), LatLon(north, east)) / 2


@contextmanager
def _service(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable,
        "-m",
        "service",
        "up",
        "--data",
        str(data),
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoFailed(
                f"port {port} cannot be used ({error.strerror}); try: make demo PORT={port + 1}"
            ) from error


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    while not _is_ready(url):
        if process.poll() is not None:
            raise DemoFailed(f"the service ended with {process.returncode}; its own message above says why")
        time.sleep(0.2)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _serve_on(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())

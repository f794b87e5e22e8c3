"""`python -m benchmarks.bench_page`: what a first visit to the page takes, in a real Chromium.

Starts a service of its own, opens the page some times as a visitor who was never there, clicks the first sample, and
records how many requests were made, how many bytes came, and how many milliseconds passed until the page could be used
and until the answer was shown. With `--screenshots FOLDER` it also saves how the answer looks, wide and narrow, light
and dark.

    python -m benchmarks.bench_page --index clnet-data/demo/index --photos clnet-data/demo/region/panoramas
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.bench_service import start_service
from benchmarks.record import write_record
from benchmarks.service_flags import service_parser

_PATIENCE_MS = 120_000
_SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
_SAMPLES = 3


@dataclass(frozen=True)
class Visit:
    """What one visitor waited for.

    Attributes:
        requests_before_click: the page, its files, the map.
        requests_to_answer: all, from the address to the answer on the screen.
        kib: of all answers, without headers.
        usable_ms: from the address to samples that can be clicked.
        answer_ms: from the click to the answer on the screen.
        total_ms: without the time of a person.
    """

    requests_before_click: int
    requests_to_answer: int
    kib: float
    usable_ms: float
    answer_ms: float
    total_ms: float


def main(argv: Sequence[str] | None = None) -> int:
    """Visit and record."""
    args = _parser().parse_args(argv)
    with tempfile.TemporaryDirectory() as samples:
        for number, photo in enumerate(sorted(args.photos.glob("*.jpg"))[:_SAMPLES], start=1):
            shutil.copy(photo, Path(samples, f"{number} photo.jpg"))
        flags = ["--samples", samples, "--deadline-s", "120", *args.service_flags]
        with start_service(args.index, args.checkpoint, flags) as (url, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
            first = _visit(browser, url)
            visits = [_visit(browser, url) for _ in range(args.visits)]
            if args.screenshots:
                _screenshots(browser, url, args.screenshots)
            browser.close()
    medians = {name: statistics.median(getattr(one, name) for one in visits) for name in asdict(first)}
    record = {"first_of_the_service": asdict(first), "visits": [asdict(one) for one in visits], "medians": medians}
    print(medians)
    print(write_record("page", record))
    return 0


def _visit(browser: Browser, url: str) -> Visit:
    """Of somebody who was never there: nothing is in the cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    asked: list[str] = []
    sizes: list[int] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    began = time.perf_counter()
    page.goto(url)
    sample = page.locator(".sample").first
    sample.wait_for()
    usable = time.perf_counter()
    before = len(asked)
    sample.click()
    page.wait_for_selector("#verdict")
    answered = time.perf_counter()
    seen = Visit(
        requests_before_click=before,
        requests_to_answer=len(asked),
        kib=round(sum(sizes) / 1024, 1),
        usable_ms=round(1000 * (usable - began), 1),
        answer_ms=round(1000 * (answered - usable), 1),
        total_ms=round(1000 * (answered - began), 1),
    )
    context.close()
    return seen


def _screenshots(browser: Browser, url: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (width, height) in _SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            context.set_default_timeout(_PATIENCE_MS)
            page = context.new_page()
            page.goto(url)
            page.locator(".sample").first.wait_for()
            _settle(page)
            page.screenshot(path=folder / f"{name}-{scheme}-first.png")
            page.locator(".sample").first.click()
            page.wait_for_selector("#verdict")
            _settle(page)
            page.screenshot(path=folder / f"{name}-{scheme}-answer.png")
            page.locator(".card").first.click()
            page.wait_for_selector("#compare .heat")
            _settle(page)
            page.screenshot(path=folder / f"{name}-{scheme}-compare.png")
            context.close()


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("no Chromium on this machine; `apt-get install chromium` brings one")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("bench_page", __doc__)
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="folder of JPEG panoramas, the first three of which are the samples")
    add("--visits", type=int, default=5, help="visits that are counted, after one that is not (default %(default)s)")
    add("--screenshots", type=Path, help="folder for pictures of the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())

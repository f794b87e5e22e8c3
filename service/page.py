"""The page: its own files, Leaflet from the installed package, and photos to try.

Nothing of it is part of the documented API, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse

__all__ = ["add_page", "sample_photos"]

_WEB = Path(__file__).with_name("web")
_PHOTOS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""What every browser shows."""
_MOST_SAMPLES = 3


def add_page(app: FastAPI, *, samples: Path | None) -> None:
    """Serve the page at `/` and its files below `/web`, Leaflet's among them.

    Args:
        app: what serves it.
        samples: folder of photos that the page offers to try; it may appear later.
    """
    from xstatic.pkg import leaflet

    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/samples", lambda: _sample_list(samples), include_in_schema=False)
    app.mount("/web/leaflet", StaticFiles(directory=leaflet.BASE_DIR), name="leaflet")
    app.mount("/web", StaticFiles(directory=_WEB), name="web")
    if samples is not None:
        app.mount("/samples", _SampleFiles(samples), name="samples")


class _SampleFiles(StaticFiles):
    """The photos of a folder that the page offers, and nothing else that lies there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._folder = folder

    async def check_config(self) -> None:
        """The folder may be absent; then there is nothing to serve."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file and its state; None for what is not offered. Asked in a thread."""
        offered = {photo.name for photo in sample_photos(self._folder)}
        return super().lookup_path(path) if path in offered else ("", None)


def sample_photos(folder: Path | None) -> list[Path]:
    """The first three photos of a folder by name; none where there is no such folder, and no link that leads out."""
    if folder is None or not folder.is_dir():
        return []
    named = [path for path in folder.iterdir() if path.suffix.lower() in _PHOTOS and not path.name.startswith(".")]
    photos = [path for path in named if path.is_file() and path.resolve().is_relative_to(folder.resolve())]
    return sorted(photos)[:_MOST_SAMPLES]


def _sample_list(folder: Path | None) -> list[dict[str, Any]]:
    """What the page shows: a photo's name says what it is, after a number that orders them ("2 a street.jpg")."""
    return [
        {"name": path.stem.lstrip("0123456789 -_") or path.stem, "url": f"samples/{quote(path.name)}"}
        for path in sample_photos(folder)
    ]


async def _page() -> FileResponse:
    return FileResponse(_WEB / "index.html", headers={"Cache-Control": "no-cache"})

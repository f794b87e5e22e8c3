"""The page: its own files, Leaflet from the installed package, and photos to try.

Nothing of it is part of the documented API, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

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
        app.mount("/samples", StaticFiles(directory=samples, check_dir=False), name="samples")


def sample_photos(folder: Path | None) -> list[Path]:
    """The first three photos of a folder by name; none where there is no such folder."""
    if folder is None or not folder.is_dir():
        return []
    photos = [path for path in folder.iterdir() if path.suffix.lower() in _PHOTOS and not path.name.startswith(".")]
    return sorted(photos)[:_MOST_SAMPLES]


def _sample_list(folder: Path | None) -> list[dict[str, Any]]:
    """What the page shows: a photo's name says what it is, after a number that orders them ("2 a street.jpg")."""
    return [
        {"name": path.stem.lstrip("0123456789 -_") or path.stem, "url": f"samples/{quote(path.name)}"}
        for path in sample_photos(folder)
    ]


async def _page() -> FileResponse:
    return FileResponse(_WEB / "index.html", headers={"Cache-Control": "no-cache"})

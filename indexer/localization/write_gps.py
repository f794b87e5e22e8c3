"""Copies of photos whose EXIF position is the estimate. The pixels are copied as they are; originals stay untouched."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from indexer.common.errors import BadPhotos, BadQuery
from indexer.localization.photo_answer import PhotoAnswer
from model.common.atomic_io import refuse_existing, staged_file

__all__ = ["GpsCopies"]

_SUFFIXES = frozenset({".jpg", ".jpeg", ".webp"})
_ARC_SECOND_PARTS = 10_000
"""A ten-thousandth of a second of arc is 3 mm."""


class GpsCopies:
    """Writes a copy of every photo that was placed surely enough."""

    def __init__(self, folder: Path, photos: Iterable[Path], *, least_confidence: float) -> None:
        """Check that no copy can replace an original or another copy.

        Args:
            folder: gets the copies, under the names of their photos.
            photos: all that may be copied.
            least_confidence: of an estimate that is written, in (0, 1].

        Raises:
            BadQuery: the folder holds originals, or the confidence is out of range.
            BadPhotos: two photos have one name.
        """
        if not 0 < least_confidence <= 1:
            raise BadQuery(f"--min-confidence is {least_confidence:g}; give a probability above 0, at most 1")
        paths = list(photos)
        home = folder.resolve()
        if inside := next((path for path in paths if path.resolve().parent == home), None):
            raise BadQuery(f"--write-gps {folder} is the folder of the original {inside.name}; give another folder")
        names: dict[str, Path] = {}
        for path in paths:
            other = names.setdefault(path.name.lower(), path)
            if other.resolve() != path.resolve():
                raise BadPhotos(f"{other} and {path} have one name, so one copy would replace the other; rename one")
        self._folder, self._least = folder, least_confidence
        self.written = 0

    def add(self, answer: PhotoAnswer) -> None:
        """Copy one, if its estimate is sure enough.

        Raises:
            OutputExists: the copy is there already.
            BadPhotos: the format has no EXIF that can be replaced without encoding the picture anew.
        """
        found = answer.found
        if found is None or found.position.confidence is None or found.position.confidence < self._least:
            return
        if answer.photo.suffix.lower() not in _SUFFIXES:
            raise BadPhotos("a position can be written into JPEG and WebP only")
        target = self._folder / answer.photo.name
        refuse_existing(target)
        self._folder.mkdir(parents=True, exist_ok=True)
        with staged_file(target) as staged:
            shutil.copyfile(answer.photo, staged)
            _write_position(staged, answer.photo, found.position.centre.lat, found.position.centre.lon)
        self.written += 1


def _write_position(copy: Path, photo: Path, lat: float, lon: float) -> None:
    import piexif

    try:
        exif = piexif.load(str(photo))
        exif["GPS"] |= {
            piexif.GPSIFD.GPSVersionID: (2, 3, 0, 0),
            piexif.GPSIFD.GPSLatitudeRef: b"N" if lat >= 0 else b"S",
            piexif.GPSIFD.GPSLatitude: _sexagesimal(lat),
            piexif.GPSIFD.GPSLongitudeRef: b"E" if lon >= 0 else b"W",
            piexif.GPSIFD.GPSLongitude: _sexagesimal(lon),
            piexif.GPSIFD.GPSProcessingMethod: b"ASCII\x00\x00\x00clnet-geolocalization",
        }
        piexif.insert(piexif.dump(exif), str(copy))
    except Exception as error:  # a parser of EXIF may raise anything on what cameras write
        raise BadPhotos(f"its EXIF cannot be rewritten ({error}); the position is in the answer") from None


def _sexagesimal(degrees: float) -> tuple[tuple[int, int], ...]:
    """Degrees, minutes and seconds as EXIF has them."""
    parts = round(abs(Fraction(degrees)) * 3600 * _ARC_SECOND_PARTS)
    minutes, seconds = divmod(parts, 60 * _ARC_SECOND_PARTS)
    return (minutes // 60, 1), (minutes % 60, 1), (seconds, _ARC_SECOND_PARTS)

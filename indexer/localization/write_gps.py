"""Copies of photos whose EXIF position is the estimate. The pixels are copied as they are; originals stay untouched."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from indexer.common.errors import BadPhotos, BadQuery
from indexer.localization.jpeg_exif import with_exif
from indexer.localization.photo_answer import PhotoAnswer
from model.common.atomic_io import refuse_existing, staged_file
from model.common.geo import LatLon

__all__ = ["GpsCopies"]

_ARC_SECOND_PARTS = 10_000
"""A ten-thousandth of a second of arc is 3 mm."""
_ABOUT_ANOTHER_PLACE = (5, 6, 11, 28, 31)
"""Tags of a GPS receiver's altitude, dilution, area and error: what was known of the position that is replaced."""


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
        target = self._folder / answer.photo.name
        refuse_existing(target)
        copy = _with_position(answer.photo.read_bytes(), found.position.centre)
        self._folder.mkdir(parents=True, exist_ok=True)
        with staged_file(target) as staged:
            staged.write_bytes(copy)
        self.written += 1


def _with_position(photo: bytes, place: LatLon) -> bytes:
    """A photo whose EXIF says that it was taken there; all else as it is."""
    import piexif

    jpeg = photo.startswith(b"\xff\xd8")
    if not jpeg and not (photo.startswith(b"RIFF") and photo[8:12] == b"WEBP"):
        raise BadPhotos("a position can be written into JPEG and WebP only")
    try:
        exif = piexif.load(photo)
        for tag in _ABOUT_ANOTHER_PLACE:
            exif["GPS"].pop(tag, None)
        exif["GPS"] |= {
            piexif.GPSIFD.GPSVersionID: (2, 3, 0, 0),
            piexif.GPSIFD.GPSLatitudeRef: b"N" if place.lat >= 0 else b"S",
            piexif.GPSIFD.GPSLatitude: _sexagesimal(place.lat),
            piexif.GPSIFD.GPSLongitudeRef: b"E" if place.lon >= 0 else b"W",
            piexif.GPSIFD.GPSLongitude: _sexagesimal(place.lon),
            piexif.GPSIFD.GPSProcessingMethod: b"ASCII\x00\x00\x00clnet-geolocalization",
        }
        block = piexif.dump(exif)
        if jpeg:
            return with_exif(photo, block)
        buffer = io.BytesIO()
        piexif.insert(block, photo, buffer)
        return buffer.getvalue()
    except Exception as error:  # a parser of EXIF may raise anything on what cameras write
        raise BadPhotos(f"its EXIF cannot be rewritten ({error}); the position is in the answer") from None


def _sexagesimal(degrees: float) -> tuple[tuple[int, int], ...]:
    """Degrees, minutes and seconds as EXIF has them."""
    parts = round(abs(Fraction(degrees)) * 3600 * _ARC_SECOND_PARTS)
    minutes, seconds = divmod(parts, 60 * _ARC_SECOND_PARTS)
    return (minutes // 60, 1), (minutes % 60, 1), (seconds, _ARC_SECOND_PARTS)

"""Copies of photos whose EXIF position is the estimate. The pixels are copied as they are; originals stay untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from indexer.common.errors import BadPhotos, BadQuery
from indexer.localization import heif_exif, jpeg_exif, png_exif, webp_exif
from indexer.localization.exif_position import with_position
from indexer.localization.photo_answer import PhotoAnswer
from indexer.localization.photo_list import PhotoRequest, real_path
from model.common.atomic_io import refuse_existing, staged_file
from model.common.errors import GeoLocalizationError
from model.common.geo import LatLon, great_circle_m
from model.common.plain_files import read_plain
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position

__all__ = ["GpsCopies"]

_EXACT_M = 0.1
"""How far the position that is read again may be from the one that was written."""


class GpsCopies:
    """Writes a copy of every photo that was placed surely enough."""

    def __init__(self, folder: Path, photos: Iterable[PhotoRequest], *, least_confidence: float) -> None:
        """Check that no copy can replace an original or another copy.

        Args:
            folder: gets the copies, as their photos lay below the folders that were asked for.
            photos: all that may be copied.
            least_confidence: of an estimate that is written, in (0, 1].

        Raises:
            BadQuery: a copy would lie beside originals, or the confidence is out of range.
            BadPhotos: two photos have one name.
        """
        if not 0 < least_confidence <= 1:
            raise BadQuery(f"--min-confidence is {least_confidence:g}; give a probability above 0, at most 1")
        self._targets = {photo.path: folder / photo.under for photo in photos}
        homes = {real_path(path).parent: path for path in self._targets}
        for target in self._targets.values():
            if inside := homes.get(real_path(target.parent)):
                raise BadQuery(
                    f"--write-gps {folder} is the folder of the original {inside.name}, or leads there; give another "
                    "folder"
                )
        copied: dict[str, Path] = {}
        for path, target in self._targets.items():
            other = copied.setdefault(str(target).lower(), path)
            if real_path(other) != real_path(path):
                raise BadPhotos(f"{other} and {path} have one name, so one copy would replace the other; rename one")
        self._least = least_confidence
        self._seen = {path: _state(path) for path in self._targets}
        self.written = self.failed = 0

    def add(self, answer: PhotoAnswer) -> None:
        """Copy one, if its estimate is sure enough.

        Raises:
            OutputExists: the copy is there already.
            BadPhotos: its EXIF cannot be replaced without encoding the picture anew, or the photo has changed.
            OSError: the copy cannot be written.
        """
        found = answer.found
        if found is None or found.position.confidence is None or found.position.confidence < self._least:
            return
        try:
            self._copy(answer.photo, found.position.centre)
        except (GeoLocalizationError, OSError):
            self.failed += 1
            raise
        self.written += 1

    def _copy(self, photo: Path, place: LatLon) -> None:
        target = self._targets[photo]
        refuse_existing(target)
        data = read_plain(photo)
        if _state(photo) != self._seen[photo]:
            raise BadPhotos("the photo has changed since this began, so the position may not be its own; ask again")
        copy = _with_position(data, place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged_file(target) as staged:
            staged.write_bytes(copy)


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file's content; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _with_position(photo: bytes, place: LatLon) -> bytes:
    """A photo whose EXIF says that it was taken there; all else as it is.

    Raises:
        BadPhotos: its EXIF cannot be changed without the risk of losing something else.
    """
    try:
        copy = _changed(photo, lambda block: with_position(block, place))
    except ValueError as error:
        raise BadPhotos(f"its EXIF cannot be rewritten ({error}); the position is in the answer") from None
    written = read_photo_position(copy)
    if (
        written is None
        or great_circle_m(written, place) > _EXACT_M
        or read_photo_metadata(copy) != read_photo_metadata(photo)
    ):
        raise BadPhotos("its EXIF contradicts itself and was left alone; the position is in the answer")
    return copy


def _changed(photo: bytes, change: Callable[[bytes], bytes]) -> bytes:
    if photo.startswith((b"II*\0", b"MM\0*")):
        return change(photo)  # a TIFF is such a block itself
    for start, container in ((b"\xff\xd8", jpeg_exif), (b"\x89PNG", png_exif), (b"RIFF", webp_exif)):
        if photo.startswith(start):
            changed: bytes = container.change_exif(photo, change)
            return changed
    return heif_exif.change_exif(photo, change)

"""One change of an index: one writer at a time, new files beside the old ones, one rename that makes it true.

Killed at any point, the index is what it was before or what it is after. Files that no version needs any more are
swept away by the change that made them so, or by the next.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadChange, BuildConflict
from indexer.index.index_manifest import FIRST_SEGMENT, SEGMENTS, IndexManifest, Removed
from indexer.index.manifest import BLOCKS, EMBEDDINGS, MANIFEST, SEARCH, TILES, Manifest
from indexer.index.origins import STAMPS
from indexer.index.tile_index import TileIndex
from indexer.index.trial import TRIAL
from model.common.atomic_io import staged_file, sync_folder

__all__ = ["IndexChange", "Mask", "changing"]

Mask = NDArray[np.bool_]

_LOCK = ".lock"
_NUMBER = re.compile(r"\.?(\d+)")


class IndexChange:
    """An index while it is being changed. Made by `changing`.

    Attributes:
        index: what it is so far.
    """

    def __init__(self, index: TileIndex) -> None:
        self.index = index
        self._next = _last_number(index.manifest) + 1

    @property
    def folder(self) -> Path:
        """The index folder."""
        return self.index.folder

    def removed(self) -> list[Mask]:
        """A mask of the rows that are removed so far, for each segment; they may be written to."""
        return [
            np.zeros(len(one.tiles), np.bool_) if one.removed is None else one.removed.copy()
            for one in self.index.segments
        ]

    def new_segment(self) -> Path:
        """Where the next segment is to be written; the same again after a change that was killed."""
        number, self._next = self._next, self._next + 1
        (self.folder / SEGMENTS).mkdir(exist_ok=True)
        return self.folder / SEGMENTS / f"{number:06d}"

    def publish(self, removed: Sequence[Mask], added: Sequence[Path] = (), *, same_content: bool = False) -> None:
        """Make a new version of the index true.

        Args:
            removed: for each segment that was there its removed rows; one without a row left is dropped.
            added: folders of new segments.
            same_content: whether the tiles are what they were, only otherwise arranged.

        Raises:
            BadChange: no tile would be left.
        """
        segments: dict[str, Manifest] = {}
        marks: dict[str, Removed] = {}
        for entry, segment, mask in zip(self.index.manifest.segments, self.index.segments, removed, strict=True):
            if mask.all():
                continue
            path = FIRST_SEGMENT if entry.manifest == MANIFEST else entry.manifest
            segments[path] = segment.manifest
            if (written := Removed.write(self.folder, mask)) is not None:
                marks[path] = written
        for folder in added:
            segments[(folder / MANIFEST).relative_to(self.folder).as_posix()] = Manifest.read(folder)
        if not segments:
            raise BadChange(f"no tile of {self.folder} would be left; remove the folder instead")
        if FIRST_SEGMENT in segments and not (self.folder / FIRST_SEGMENT).exists():
            with staged_file(self.folder / FIRST_SEGMENT) as staged:
                shutil.copyfile(self.folder / MANIFEST, staged)
        if (self.folder / SEGMENTS).is_dir():
            sync_folder(self.folder / SEGMENTS)
        digest = self.index.digest if same_content else ""
        manifest = IndexManifest.of_segments(segments, marks, digest=digest)
        manifest.write(self.folder)
        _sweep(self.folder, manifest)


@contextmanager
def changing(folder: Path, *, verify: bool = False) -> Iterator[IndexChange]:
    """Open an index to change it; other writers are kept out until the block ends, or the process does.

    Args:
        folder: the index folder.
        verify: hash all files at once, so that nothing damaged is copied.

    Raises:
        BuildConflict: another command is changing it.
        IndexDamaged: it is no index, or a damaged one.
    """
    folder = folder.resolve()
    IndexManifest.read(folder)  # no lock is left in a folder that is no index
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildConflict(f"another command is changing {folder}; wait until it is done") from None
        _sweep(folder, IndexManifest.read(folder))
        index = TileIndex.open(folder, verify=verify)
        try:
            yield IndexChange(index)
        finally:
            index.close()


def _last_number(manifest: IndexManifest) -> int:
    names = [Path(entry.manifest).parent.name for entry in manifest.segments]
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _sweep(folder: Path, manifest: IndexManifest) -> None:
    """Remove what a version needs no more, but not the unfinished work of a segment that is still to come."""
    needed = {Path(entry.manifest).parent.name for entry in manifest.segments}
    needed |= {Path(entry.removed.file).name for entry in manifest.segments if entry.removed}
    last = _last_number(manifest)
    for path in sorted((folder / SEGMENTS).iterdir()) if (folder / SEGMENTS).is_dir() else []:
        number = _NUMBER.match(path.name)
        unfinished = path.name.endswith(".partial") and number is not None and int(number[1]) > last
        if path.name not in needed and not unfinished:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if all("/" in entry.manifest for entry in manifest.segments):
        for name in (FIRST_SEGMENT, TILES, EMBEDDINGS, SEARCH, BLOCKS, STAMPS, TRIAL):
            (folder / name).unlink(missing_ok=True)

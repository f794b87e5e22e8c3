"""Members of archives as GDAL names them (`/vsizip/all.zip/a.vrt`), read as far as a virtual raster may hide in one."""

from __future__ import annotations

import gzip
import posixpath
import re
import tarfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

from indexer.common.errors import BadSource
from indexer.tiles.sources.virtual_members import file_in_name
from indexer.tiles.sources.virtual_names import HEAD_BYTES, LARGEST_BYTES, MARKUP

__all__ = ["Archives", "is_packed"]

_KIND = re.compile(r"/vsi(zip|tar|gzip)/+\{?")
_FAULTS = (
    OSError, EOFError, KeyError, ValueError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_Opened = zipfile.ZipFile | tarfile.TarFile


def is_packed(name: str) -> bool:
    """Whether a name is one of GDAL's own file systems, which need no file of that path."""
    return name.startswith("/vsi") and not Path(name).exists()


class Archives:
    """Archives on disk, opened once each. Use as a context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._opened: dict[Path, _Opened] = {}

    def __enter__(self) -> Archives:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def markup(self, name: str) -> bytes | None:
        """The content of a member that is markup; None of all others.

        Args:
            name: as GDAL takes it, with the archive's whole path.

        Raises:
            BadSource: it is no member of a ZIP, a TAR or a gzipped file, or cannot be looked into.
        """
        kind, file = _KIND.match(name), file_in_name(name)
        if kind is None or file is None or "/vsi" in name[4:]:
            raise BadSource(
                f"{name[:80]} is none that can be looked into: members of a ZIP or TAR on disk are, with the archive's "
                "whole path; unpack it"
            )
        inner = posixpath.normpath(name.partition(str(file))[2].strip("/}")) if kind[1] != "gzip" else ""
        try:
            with self._member(kind[1], file, inner) as member:
                head = member.read(HEAD_BYTES)
                return head + member.read(LARGEST_BYTES) if MARKUP.match(head) else None
        except _FAULTS as error:
            raise BadSource(f"{name[:80]} cannot be looked into ({str(error)[:80]}); unpack it") from error

    def _member(self, kind: str, file: Path, inner: str) -> IO[bytes] | gzip.GzipFile:
        if kind == "gzip":
            return gzip.open(file)
        if file not in self._opened and kind == "zip":
            self._opened[file] = self._stack.enter_context(zipfile.ZipFile(file))
        elif file not in self._opened:
            self._opened[file] = self._stack.enter_context(tarfile.open(file))  # noqa: SIM115 (the stack closes it)
        archive = self._opened[file]
        if isinstance(archive, zipfile.ZipFile):
            names = archive.namelist() if inner == "." else []
            return archive.open(names[0] if len(names) == 1 else inner)
        members = [one.name for one in archive.getmembers() if one.isfile()] if inner == "." else []
        found = archive.extractfile(members[0] if len(members) == 1 else inner)
        if found is None:
            raise KeyError(f"{inner} is no file")
        return found

"""Files that end: a program waits for a pipe that nobody writes into, and reads a device such as /dev/zero for ever."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISREG

from model.common.errors import NotPlainFile

__all__ = ["read_plain", "require_plain"]


def require_plain(path: Path | str, *, or_pipe: bool = False) -> None:
    """Make sure that reading a path ends. What is missing, or a folder, is left to whoever opens it.

    Args:
        path: the file, through whatever links.
        or_pipe: take a pipe, too: a shell gives one for `<(command)`, and who asked for it writes into it.

    Raises:
        NotPlainFile: it is a pipe, a socket or a device.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (text may be given)
    except (OSError, ValueError):
        return
    if not (S_ISREG(mode) or S_ISDIR(mode) or (or_pipe and S_ISFIFO(mode))):
        raise NotPlainFile(f"{path} is no plain file but a pipe or a device, which may never end; give a plain file")


def read_plain(path: Path | str, *, or_pipe: bool = False) -> bytes:
    """The bytes of a file, as `Path.read_bytes` gives them.

    Raises:
        NotPlainFile: it is a pipe, a socket or a device.
        OSError: it cannot be read.
    """
    require_plain(path, or_pipe=or_pipe)
    return Path(path).read_bytes()

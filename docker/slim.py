"""Remove from an environment what inference on a CPU never loads.

PyPI's torch for x86-64 Linux brings CUDA. Importing torch needs the CUDA libraries that it is linked with, but not
the kernel compiler (triton), nor what those libraries load only once a GPU computes. `python docker/slim.py`
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_UNUSED_ON_CPU = (
    "triton",
    "cuda",
    "nvidia/*/include",
    "nvidia/cudnn/lib/libcudnn_*",
    "nvidia/*/lib/libcusolverMg.so*",
    "nvidia/*/lib/libnvperf_*",
    "nvidia/*/lib/*.a",
    "torch/include",
    "torch/test",
)


def unused(site_packages: Path) -> Iterator[Path]:
    """The files and folders to remove."""
    for pattern in _UNUSED_ON_CPU:
        yield from sorted(site_packages.glob(pattern))


def remove(path: Path) -> int:
    """Remove a file or folder; returns its bytes."""
    size = sum(file.lstat().st_size for file in (path.rglob("*") if path.is_dir() else [path]))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size


if __name__ == "__main__":
    freed = sum(remove(path) for path in unused(Path(sysconfig.get_path("purelib"))))
    sys.stdout.write(f"removed {freed / 1e9:.1f} GB that only a GPU would use\n")

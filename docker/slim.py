"""Take out of an environment what the CPU image never uses, before a layer holds it. `python docker/slim.py`

It works on the environment that runs it, has only the standard library, and needs binutils.
It stops where a thing that it should take out is not there, where something left would want one, and where a
library that the project uses can no longer be imported: after an upgrade that moved a file, a build fails here.
"""

from __future__ import annotations

import compileall
import importlib
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

UNUSED = (
    # pyarrow: tables and Parquet are used; a server, buckets (boto3 reads those) and what C++ is compiled with are not.
    "pyarrow/libarrow_flight.so.*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/_flight.*",
    "pyarrow/libarrow_s3.so.*",
    "pyarrow/_s3fs.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    # A wheel has no links, so it has these thrice; the loader asks for the name with one number.
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*.*",
    "pyarrow/libarrow_python_parquet_encryption.so",
    "pyarrow/libarrow_python_parquet_encryption.so.*.*.*",
    # onnxruntime: the C library beside Python's module, which has it all inside; what makes and changes models.
    "onnxruntime/capi/libonnxruntime.so.*",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    # numpy: what compiles C; what its tests alone load.
    "numpy/distutils",
    "numpy/_core/include",
    "numpy/_core/_simd.*",
    # Of every library: its tests, what Cython and C are compiled with, maps of scripts and types for who writes them.
    "**/tests",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.h",
    "**/*.a",
    "**/*.map",
    "**/*.pyi",
)
"""Files and folders, from site-packages."""
STRIPPED = (
    *("faiss", "faiss_cpu.libs", "httptools", "numpy", "PIL", "pillow.libs", "pillow_heif.libs", "pyarrow", "rasterio"),
    *("rasterio.libs", "scipy", "shapely.libs"),
)
"""Where symbols that only a debugger reads take up megabytes. Whatever else there is stays as it came: OpenBLAS, in
`numpy.libs` and `scipy.libs`, could not be loaded any more."""
USED = (
    *("faiss", "fastapi_offline", "httptools", "httpx", "mercantile", "numpy", "onnxruntime", "pebble", "PIL.Image"),
    *("pillow_heif", "pmtiles.writer", "prometheus_client", "puremagic", "pyarrow.compute", "pyarrow.parquet"),
    *("python_multipart", "rasterio.features", "rasterio.vrt", "rasterio.warp", "scipy.cluster.vq", "scipy.io"),
    *("scipy.ndimage", "scipy.optimize", "scipy.spatial", "scipy.stats", "shapely", "tqdm", "uvicorn"),
    "xstatic.pkg.leaflet",
)
"""What is imported in the end: with these all libraries are loaded that the project needs."""
UNCOMPILED = ("scipy",)
"""Libraries of which little is used, and that by commands that take minutes: compiled at each use, in half a second."""


def main() -> None:
    """Slim the environment that runs this."""
    site = Path(sysconfig.get_path("purelib"))
    remove(site)
    strip(site)
    compileall.compile_dir(site, quiet=1, rx=re.compile(f"/site-packages/({'|'.join(UNCOMPILED)})/"))
    for name in USED:
        importlib.import_module(name)


def remove(site: Path, unused: tuple[str, ...] = UNUSED) -> None:
    """Remove files and folders, given as patterns.

    Raises:
        SystemExit: nothing is called so, or a library that is left needs one that goes.
    """
    going = [path for pattern in unused for path in found(site, pattern)]
    for path in going:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it may have gone with its folder
    gone = {path.name for path in going}
    for path in site.rglob("*.so*"):
        if wanted := sorted(gone.intersection(needed(path))):
            raise SystemExit(f"{path} needs {wanted[0]}, which {__file__} takes out: leave it in")


def found(site: Path, pattern: str) -> list[Path]:
    """What a pattern stands for.

    Raises:
        SystemExit: nothing is called so.
    """
    paths = sorted(site.glob(pattern))
    if not paths:
        raise SystemExit(f"{site} has no {pattern}: take that line out of {__file__}, or say what it is called now")
    return paths


def needed(library: Path) -> Iterator[str]:
    """Names of the libraries that a library is linked with."""
    told = subprocess.run(["readelf", "--dynamic", library], capture_output=True, text=True, check=True).stdout
    yield from re.findall(r"\(NEEDED\).*\[(.+)\]", told)


def strip(site: Path, folders: tuple[str, ...] = STRIPPED) -> None:
    """Take the symbols out that are not needed at run time."""
    libraries = [path for folder in folders for path in found(site, f"{folder}/**/*.so*")]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)


if __name__ == "__main__":
    main()

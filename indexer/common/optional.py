"""Heavy or optional libraries, imported when first needed; a missing one is an error that names the extra."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from model.common.errors import MissingExtra

__all__ = [
    "load_boto3",
    "load_faiss",
    "load_lance",
    "load_milvus",
    "load_pyogrio",
    "load_rasterio",
    "load_ray",
    "load_shapely",
    "load_torch",
]


def load_boto3() -> Any:
    """The module `boto3`, Amazon's client.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("boto3", "session", why="objects in buckets (s3://) need boto3", extra="s3")


def load_faiss() -> Any:
    """The module `faiss`, whose bundled types lack much of what it has."""
    return importlib.import_module("faiss")


def load_lance() -> Any:
    """The module `lance` of the package pylance.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("lance", why="writing a Lance dataset needs pylance", extra="lance")


def load_milvus() -> Any:
    """The module `pymilvus`, the client of Milvus.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("pymilvus", why="an index in Milvus needs pymilvus", extra="milvus")


def load_ray() -> Any:
    """The module `ray` with its submodule `data`.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("ray", "data", why="spreading a build over a cluster needs Ray on every node", extra="ray")


def load_shapely() -> Any:
    """The module `shapely`, which is loaded for polygons and tracks only."""
    return importlib.import_module("shapely")


def load_torch() -> Any:
    """The module `torch`, where an exact search runs on a GPU.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("torch", why="searching on a GPU needs torch", extra="gpu")


def load_rasterio() -> Any:
    """The module `rasterio` with its submodules `warp` and `vrt`.

    Raises:
        MissingExtra: it is not installed.
    """
    rasterio = _load(
        "rasterio", "warp", "vrt", "transform", "errors", why="reading GeoTIFFs needs rasterio", extra="geo"
    )
    # A raster without a place is refused in a line that names it.
    warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)
    return rasterio


def load_pyogrio() -> Any:
    """The module `pyogrio` with its submodule `raw`, which needs neither GeoPandas nor Shapely.

    Raises:
        MissingExtra: it is not installed.
    """
    return _load("pyogrio", "raw", why="writing a GeoPackage needs pyogrio", extra="geo")


def _load(name: str, *submodules: str, why: str, extra: str) -> Any:
    try:
        for one in submodules:
            importlib.import_module(f"{name}.{one}")
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(f"{why}; install it with `pip install 'clnet-geolocalization[{extra}]'`") from error

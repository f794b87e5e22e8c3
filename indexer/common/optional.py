"""Heavy or optional libraries, imported when first needed; a missing one is an error that names the extra."""

from __future__ import annotations

import importlib
from typing import Any

from model.common.errors import MissingExtra

__all__ = ["load_faiss", "load_lance", "load_milvus", "load_pyogrio", "load_rasterio", "load_ray", "load_shapely"]


def load_faiss() -> Any:
    """The module `faiss`, whose bundled types lack much of what it has."""
    return importlib.import_module("faiss")


def load_lance() -> Any:
    """The module `lance` of the package pylance.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("lance")
    except ImportError as error:
        raise MissingExtra(
            "writing a Lance dataset needs pylance; install it with `pip install clnet-geolocalization[lance]`"
        ) from error


def load_milvus() -> Any:
    """The module `pymilvus`, the client of Milvus.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("pymilvus")
    except ImportError as error:
        raise MissingExtra(
            "an index in Milvus needs pymilvus; install it with `pip install clnet-geolocalization[milvus]`"
        ) from error


def load_ray() -> Any:
    """The module `ray` with its submodule `data`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtra(
            "spreading a build over a cluster needs Ray; install it with `pip install clnet-geolocalization[ray]`, on "
            "every node"
        ) from error


def load_shapely() -> Any:
    """The module `shapely`, which is loaded for polygons and tracks only."""
    return importlib.import_module("shapely")


def load_rasterio() -> Any:
    """The module `rasterio` with its submodules `warp` and `vrt`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        for part in ("warp", "vrt", "transform", "errors"):
            importlib.import_module(f"rasterio.{part}")
        return importlib.import_module("rasterio")
    except ImportError as error:
        raise MissingExtra(
            "reading GeoTIFFs needs rasterio; install it with `pip install clnet-geolocalization[geo]`"
        ) from error


def load_pyogrio() -> Any:
    """The module `pyogrio` with its submodule `raw`, which needs neither GeoPandas nor Shapely.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        importlib.import_module("pyogrio.raw")
        return importlib.import_module("pyogrio")
    except ImportError as error:
        raise MissingExtra(
            "writing a GeoPackage needs pyogrio; install it with `pip install clnet-geolocalization[geo]`"
        ) from error

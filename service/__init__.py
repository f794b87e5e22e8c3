"""Localize panoramas over HTTP. Loads no FastAPI on import."""

from clnet_geolocalization import require_own

require_own("model", "indexer")  # common names: say so where somebody else's module is found first

from model._version import VERSION as __version__  # noqa: E402

__all__ = ["__version__"]

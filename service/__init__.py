"""Localize panoramas over HTTP. Loads no FastAPI on import."""

from model._version import VERSION as __version__

__all__ = ["__version__"]

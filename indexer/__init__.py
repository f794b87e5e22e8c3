"""Embed a satellite tile corpus into a spatially ordered index, and search it. Loads no FAISS on import."""

from model._version import VERSION as __version__

__all__ = ["__version__"]

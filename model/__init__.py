"""Train, evaluate and run the cross-view encoders. Importing this package loads no torch."""

from model._version import VERSION as __version__

__all__ = ["__version__"]

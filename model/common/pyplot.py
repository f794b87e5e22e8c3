"""matplotlib, loaded when something is drawn; it comes with the extra `plots`."""

from __future__ import annotations

from typing import Any

from model.common.extras import import_extra

__all__ = ["import_pyplot"]


def import_pyplot(wanted: str) -> Any:
    """The module `matplotlib.pyplot`, drawing into files: no screen is needed, and none is asked for.

    Args:
        wanted: what it is needed for.

    Raises:
        MissingExtra: it is not installed.
    """
    import_extra("matplotlib", wanted).use("Agg")
    return import_extra("matplotlib.pyplot", wanted)

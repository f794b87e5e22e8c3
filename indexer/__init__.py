"""Embed a satellite tile corpus into a spatially ordered index, and search it. Loads no FAISS on import.

The names in `__all__` are public and stable (`docs/api.md`); each is imported when it is first asked for.
"""

from clnet_geolocalization import require_own

require_own("model")  # a common name: say so where somebody else's module is found first

from model._version import VERSION as __version__  # noqa: E402
from model.common.lazy import lazy_names  # noqa: E402

TYPE_CHECKING = False  # for type checkers it is true; to import typing would take longer than all of this
if TYPE_CHECKING:
    from indexer.building.build import BuildSummary, build_index
    from indexer.building.specs import BuildSpec
    from indexer.building.verify import VerifyReport, verify_index
    from indexer.common.encoders import QueryEncoder, TileEncoder
    from indexer.common.errors import (
        BadCalibration,
        BadQuery,
        BadSource,
        BuildConflict,
        DiskFull,
        IndexDamaged,
        IndexMismatch,
        IndexVersion,
        NoSuchIndex,
        NothingUsable,
        NoTilesInRegion,
    )
    from indexer.confidence.calibration import Calibration, Calibrations
    from indexer.index.tile_index import TileIndex
    from indexer.index.zones import SearchResult
    from indexer.localization.answer import Localization, Match
    from indexer.localization.localizer import Localizer
    from indexer.localization.position import Position
    from indexer.localization.together import JointLocalization
    from indexer.tiles.region import BoxRegion, CircleRegion, Region
    from indexer.tiles.sources.open_source import open_source
    from indexer.tiles.sources.options import SourceOptions
    from indexer.tiles.sources.source import TileSource
    from indexer.tiles.tile_table import TileRecord
    from model.inputs.photo_view import GivenView, ResolvedView
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "indexer.building.build": ("BuildSummary", "build_index"),
            "indexer.building.specs": ("BuildSpec",),
            "indexer.building.verify": ("VerifyReport", "verify_index"),
            "indexer.common.encoders": ("QueryEncoder", "TileEncoder"),
            "indexer.common.errors": (
                "BadCalibration",
                "BadQuery",
                "BadSource",
                "BuildConflict",
                "DiskFull",
                "IndexDamaged",
                "IndexMismatch",
                "IndexVersion",
                "NoSuchIndex",
                "NoTilesInRegion",
                "NothingUsable",
            ),
            "indexer.confidence.calibration": ("Calibration", "Calibrations"),
            "indexer.index.tile_index": ("TileIndex",),
            "indexer.index.zones": ("SearchResult",),
            "indexer.localization.answer": ("Localization", "Match"),
            "indexer.localization.localizer": ("Localizer",),
            "indexer.localization.position": ("Position",),
            "indexer.localization.together": ("JointLocalization",),
            "indexer.tiles.region": ("BoxRegion", "CircleRegion", "Region"),
            "indexer.tiles.sources.open_source": ("open_source",),
            "indexer.tiles.sources.options": ("SourceOptions",),
            "indexer.tiles.sources.source": ("TileSource",),
            "indexer.tiles.tile_table": ("TileRecord",),
            "model.inputs.photo_view": ("GivenView", "ResolvedView"),
        },
    )

__all__ = [
    "BadCalibration",
    "BadQuery",
    "BadSource",
    "BoxRegion",
    "BuildConflict",
    "BuildSpec",
    "BuildSummary",
    "Calibration",
    "Calibrations",
    "CircleRegion",
    "DiskFull",
    "GivenView",
    "IndexDamaged",
    "IndexMismatch",
    "IndexVersion",
    "JointLocalization",
    "Localization",
    "Localizer",
    "Match",
    "NoSuchIndex",
    "NoTilesInRegion",
    "NothingUsable",
    "Position",
    "QueryEncoder",
    "Region",
    "ResolvedView",
    "SearchResult",
    "SourceOptions",
    "TileEncoder",
    "TileIndex",
    "TileRecord",
    "TileSource",
    "VerifyReport",
    "__version__",
    "build_index",
    "open_source",
    "verify_index",
]

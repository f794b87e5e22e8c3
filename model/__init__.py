"""Train, evaluate and run the cross-view encoders. Importing this package loads no torch.

The names in `__all__` are public and stable (`docs/api.md`); each is imported when it is first asked for.
"""

from model._version import VERSION as __version__
from model.common.lazy import lazy_names

TYPE_CHECKING = False  # for type checkers it is true; to import typing would take longer than all of this
if TYPE_CHECKING:
    from model.common.errors import (
        BadCheckpoint,
        BadConfig,
        BadCoordinates,
        BadDataset,
        BadImage,
        GeoLocalizationError,
        MissingExtra,
        OutputExists,
    )
    from model.common.geo import Bounds, LatLon, great_circle_m
    from model.common.images import decode_image
    from model.data.manifest import read_manifest
    from model.data.pairs import PairSet, Query, Reference
    from model.data.sources import open_pairs
    from model.evaluation.evaluator import DualEncoder, evaluate
    from model.evaluation.metrics import Scoring
    from model.evaluation.protocol import QueryProtocol
    from model.evaluation.results import Evaluation
    from model.inputs.photo_metadata import read_photo_metadata
    from model.inputs.photo_projection import lay_photo
    from model.inputs.photo_view import GivenView, ResolvedView, resolve_view
    from model.inputs.transforms import InputSpec, lay_panorama, resize_tile
    from model.network.checkpoints import Bundle, load_bundle, save_bundle
    from model.network.clnet import CLNet, CLNetSpec
    from model.network.encoder import Encoder
    from model.training.config import DataSpec, OptimSpec, RunSpec, load_run
    from model.training.trainer import train
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "model.common.errors": (
                "BadCheckpoint",
                "BadConfig",
                "BadCoordinates",
                "BadDataset",
                "BadImage",
                "GeoLocalizationError",
                "MissingExtra",
                "OutputExists",
            ),
            "model.common.geo": ("Bounds", "LatLon", "great_circle_m"),
            "model.common.images": ("decode_image",),
            "model.data.manifest": ("read_manifest",),
            "model.data.pairs": ("PairSet", "Query", "Reference"),
            "model.data.sources": ("open_pairs",),
            "model.evaluation.evaluator": ("DualEncoder", "evaluate"),
            "model.evaluation.metrics": ("Scoring",),
            "model.evaluation.protocol": ("QueryProtocol",),
            "model.evaluation.results": ("Evaluation",),
            "model.inputs.photo_metadata": ("read_photo_metadata",),
            "model.inputs.photo_projection": ("lay_photo",),
            "model.inputs.photo_view": ("GivenView", "ResolvedView", "resolve_view"),
            "model.inputs.transforms": ("InputSpec", "lay_panorama", "resize_tile"),
            "model.network.checkpoints": ("Bundle", "load_bundle", "save_bundle"),
            "model.network.clnet": ("CLNet", "CLNetSpec"),
            "model.network.encoder": ("Encoder",),
            "model.training.config": ("DataSpec", "OptimSpec", "RunSpec", "load_run"),
            "model.training.trainer": ("train",),
        },
    )

__all__ = [
    "BadCheckpoint",
    "BadConfig",
    "BadCoordinates",
    "BadDataset",
    "BadImage",
    "Bounds",
    "Bundle",
    "CLNet",
    "CLNetSpec",
    "DataSpec",
    "DualEncoder",
    "Encoder",
    "Evaluation",
    "GeoLocalizationError",
    "GivenView",
    "InputSpec",
    "LatLon",
    "MissingExtra",
    "OptimSpec",
    "OutputExists",
    "PairSet",
    "Query",
    "QueryProtocol",
    "Reference",
    "ResolvedView",
    "RunSpec",
    "Scoring",
    "__version__",
    "decode_image",
    "evaluate",
    "great_circle_m",
    "lay_panorama",
    "lay_photo",
    "load_bundle",
    "load_run",
    "open_pairs",
    "read_manifest",
    "read_photo_metadata",
    "resize_tile",
    "resolve_view",
    "save_bundle",
    "train",
]

"""The errors of `indexer/`; their base is the one of all three packages.

GeoLocalizationError
├── BadSource        (ValueError)    a tile source that is missing, empty, damaged or of no known kind
├── NoTilesInRegion  (LookupError)   the area that a search is limited to holds no tile
├── BadQuery         (ValueError)    a search that cannot be answered: top_k, region or vectors out of range
│   ├── TooManyTiles                 an area of more tiles than are scored at once for photos asked together
│   └── NotInDatabase                a question that an index in a vector database cannot answer
├── TileWithoutData  (ValueError)    one tile that is mostly nodata or transparent; builds skip it and count it
├── NothingUsable    (ValueError)    every tile of a source failed or was skipped
├── TooManyFailures  (ValueError)    more of a source's tiles are unreadable than a build accepts
├── EncoderFault     (ValueError)    an encoder returned vectors of another shape, or not finite
├── DecoderGone      (RuntimeError)  a process that decodes tiles died
├── BuildConflict    (RuntimeError)  an unfinished build of another specification, or one still running
├── BadRecipe        (ValueError)    a way to search that cannot be had: too little memory, a recall out of reach
├── BadChange        (ValueError)    a change of an index that leaves nothing, adds nothing, or does not fit
├── DiskFull         (OSError)       no room left to write
├── BadCalibration   (ValueError)    a stored calibration that is damaged, or made for another encoder or index
├── BadPhotos        (ValueError)    photos that nothing can be calibrated on: too few, of one kind, without a place
├── NoSuchIndex      (FileNotFoundError) there is no such index folder
├── IndexDamaged     (ValueError)    an index folder with a missing, changed or contradictory file
├── IndexVersion     (ValueError)    an index folder of a format that this version does not read
├── IndexMismatch    (ValueError)    the index was built by another encoder than the one asked to search it
├── DatabaseAway     (ConnectionError) the vector database does not answer
├── ClusterFault     (RuntimeError)  a cluster that a build was spread over cannot be reached, or cannot do it
└── DatabaseFault    (RuntimeError)  the vector database answers that it cannot do what it is asked
"""

from model.common.errors import GeoLocalizationError

__all__ = [
    "BadCalibration",
    "BadChange",
    "BadPhotos",
    "BadQuery",
    "BadRecipe",
    "BadSource",
    "BuildConflict",
    "ClusterFault",
    "DatabaseAway",
    "DatabaseFault",
    "DecoderGone",
    "DiskFull",
    "EncoderFault",
    "IndexDamaged",
    "IndexMismatch",
    "IndexVersion",
    "NoSuchIndex",
    "NoTilesInRegion",
    "NotInDatabase",
    "NothingUsable",
    "TileWithoutData",
    "TooManyFailures",
    "TooManyTiles",
]


class BadSource(GeoLocalizationError, ValueError):
    """A tile source that is missing, empty, damaged or of no known kind."""


class BadQuery(GeoLocalizationError, ValueError):
    """A search that cannot be answered: top_k, region or vectors out of range."""


class TooManyTiles(BadQuery):
    """An area of more tiles than are scored at once for photos that are asked together."""


class NoTilesInRegion(GeoLocalizationError, LookupError):
    """The area that a search is limited to holds no tile."""


class TileWithoutData(GeoLocalizationError, ValueError):
    """One tile that is mostly nodata or transparent."""


class NothingUsable(GeoLocalizationError, ValueError):
    """Every tile of a source failed or was skipped."""


class EncoderFault(GeoLocalizationError, ValueError):
    """An encoder returned vectors of another shape, or not finite."""


class TooManyFailures(GeoLocalizationError, ValueError):
    """More of a source's tiles are unreadable than a build accepts."""


class DecoderGone(GeoLocalizationError, RuntimeError):
    """A process that decodes tiles died."""


class BuildConflict(GeoLocalizationError, RuntimeError):
    """An unfinished build of another specification lies in the way, or one is still running."""


class BadRecipe(GeoLocalizationError, ValueError):
    """A way to search that cannot be had: too little memory, or a recall out of reach."""


class BadChange(GeoLocalizationError, ValueError):
    """A change of an index that would leave nothing, adds nothing, or does not fit what is there."""


class DiskFull(GeoLocalizationError, OSError):
    """There is no room left to write."""


class BadCalibration(GeoLocalizationError, ValueError):
    """A stored calibration that is damaged, or made for another encoder or index."""


class BadPhotos(GeoLocalizationError, ValueError):
    """Photos that nothing can be calibrated on: too few, all of one kind, or without a place."""


class NoSuchIndex(GeoLocalizationError, FileNotFoundError):
    """There is no such index folder."""


class IndexDamaged(GeoLocalizationError, ValueError):
    """An index folder with a missing, changed or contradictory file."""


class IndexVersion(GeoLocalizationError, ValueError):
    """An index folder of a format that this version does not read."""


class IndexMismatch(GeoLocalizationError, ValueError):
    """The index was built by another encoder than the one asked to search it."""


class NotInDatabase(BadQuery):
    """A question that an index in a vector database cannot answer, where one in a folder can."""


class DatabaseAway(GeoLocalizationError, ConnectionError):
    """The vector database does not answer, or not in time; it may be back soon."""

    retry_after_s = 5


class DatabaseFault(GeoLocalizationError, RuntimeError):
    """The vector database answers that it cannot do what it is asked."""


class ClusterFault(GeoLocalizationError, RuntimeError):
    """A cluster that a build was to be spread over cannot be reached, or cannot do it; what is done is kept."""

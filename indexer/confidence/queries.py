"""Photos of known place and what an index answers to them, as values: what a calibration is fitted on."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.confidence.calibration import Conditions
from indexer.confidence.features import TopK
from indexer.confidence.photo_fingerprints import PhotoSet
from model.common.geo import LatLon

__all__ = ["KnownPhoto", "SearchedPhotos"]


@dataclass(frozen=True)
class KnownPhoto:
    """What an index answers to one photo, and what is true.

    Attributes:
        candidates: the best tiles.
        place: where it was taken.
        inside: whether a tile of the index lies there.
    """

    candidates: TopK
    place: LatLon
    inside: bool


@dataclass(frozen=True)
class SearchedPhotos:
    """Photos, under which conditions they were asked, and what tells this set from another.

    Attributes:
        photos: those that an answer with a confidence could be given to.
        conditions: under which they were asked.
        about: what they are.
        left_out: the others, each as its name and the warning that an answer would carry instead of a confidence.
    """

    photos: tuple[KnownPhoto, ...]
    conditions: Conditions
    about: PhotoSet
    left_out: tuple[str, ...] = ()

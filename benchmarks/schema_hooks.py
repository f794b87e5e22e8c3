"""What schemathesis sends instead of noise in half of its right cases: a real photo, the id of a real tile.

Loaded by schemathesis itself (`SCHEMATHESIS_HOOKS`), in whose environment nothing of this project is installed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.transport.serialization import Binary

_SHARE = 0.5
_PHOTO = Binary(Path(os.environ["ATTACK_PHOTO"]).read_bytes())  # bytes alone would be taken for a wrong value
_TILE_ID = os.environ["ATTACK_TILE"]
_random = random.Random(1)


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Put what is real into a case that would have been sent with noise in its place."""
    if case.meta is None or case.meta.generation.mode.is_negative or _random.random() > _SHARE:
        return  # a case that is meant to be wrong stays wrong
    body = case.body
    if isinstance(body, dict):
        if "panorama" in body:
            body["panorama"] = [_PHOTO] * min(3, len(body["panorama"])) if _several(body["panorama"]) else _PHOTO
        if "tile_id" in body:
            body["tile_id"] = _TILE_ID
    place = case.path_parameters
    if place and "tile_id" in place:
        place["tile_id"] = _TILE_ID
    if place and "z" in place:
        place.update(zip("zxy", _TILE_ID.split("/"), strict=True))
    case._record_starting_state()  # else the case is judged anew, and one with bytes in it passes for a wrong one


def _several(value: Any) -> bool:
    return isinstance(value, list) and bool(value)

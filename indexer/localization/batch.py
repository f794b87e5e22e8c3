"""Many photos through one localizer: decoded by threads ahead of the network, embedded together, answered in order.

Or answered once, where all of them were taken at one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from indexer.common.errors import BadQuery, DatabaseAway, NoTilesInRegion
from indexer.localization.answer import Localization, PreparedPhoto
from indexer.localization.localizer import Localizer
from indexer.localization.photo_answer import JointPhoto, PhotoAnswer
from indexer.localization.photo_list import PhotoRequest
from indexer.tiles.region import CircleRegion, Region
from model.common.errors import BadImage, GeoLocalizationError, NotPlainFile
from model.common.plain_files import read_plain
from model.inputs.photo_metadata import read_photo_position

__all__ = ["localize_photos", "localize_photos_together"]

_MOST_BYTES = 1 << 30
"""Of a file: more than the largest picture that is decoded takes, 64 bits a pixel and not compressed."""
_Prepared = PreparedPhoto | str
"""A photo on its canvas, or why it cannot be."""
_Batch = list[tuple[PhotoRequest, Future[_Prepared]]]


def localize_photos(
    localizer: Localizer, requests: Iterable[PhotoRequest], *, top_k: int = 5, batch_size: int = 16, workers: int = 2
) -> Iterator[PhotoAnswer]:
    """Answer photos in their order; one that fails is an answer with its reason.

    Memory is that of two batches, however many photos there are.

    Args:
        localizer: encoder and index.
        requests: the photos.
        top_k: number of matches of each.
        batch_size: photos embedded at once.
        workers: threads that read and decode.

    Raises:
        BadQuery: top_k is below one.
        DatabaseAway: the index lies in a database, which does not answer.
    """
    if top_k < 1:
        raise BadQuery(f"top_k is {top_k}; give at least 1")
    left = iter(requests)
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:

        def next_batch() -> _Batch:
            return [(request, pool.submit(_prepare, localizer, request)) for request in islice(left, batch_size)]

        batch = next_batch()
        while batch:
            ahead = next_batch()  # decoded while the network is busy with this one
            prepared = [future.result() for _, future in batch]
            yield from _answer(localizer, [request for request, _ in batch], prepared, top_k)
            batch = ahead


def localize_photos_together(
    localizer: Localizer, requests: Sequence[PhotoRequest], *, top_k: int = 5, workers: int = 2
) -> PhotoAnswer:
    """Answer once for photos of one place; one that fails is left out with a warning.

    Args:
        localizer: encoder and index.
        requests: the photos, at least one, all with the same area.
        top_k: number of matches.
        workers: threads that read and decode.

    Raises:
        BadQuery: photos of different areas, top_k below one, or an area of more tiles than are scored at once.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        prepared = list(pool.map(lambda request: _prepare(localizer, request), requests))
    pairs = list(zip(requests, prepared, strict=True))
    good = [(request.path, one) for request, one in pairs if isinstance(one, PreparedPhoto)]
    left_out = [f"{request.path.name} is left out: {one}" for request, one in pairs if isinstance(one, str)]
    if not good:
        return PhotoAnswer(requests[0].path, None, "; ".join(left_out))
    try:
        joint = localizer.answer_together([one for _, one in good], top_k=top_k)
    except NoTilesInRegion as error:
        return PhotoAnswer(requests[0].path, None, str(error))
    found = replace(joint.found, warnings=(*left_out, *joint.found.warnings))
    each = zip((path for path, _ in good), joint.views, joint.headings_deg, strict=True)
    return PhotoAnswer(good[0][0], found, together=tuple(JointPhoto(*one) for one in each))


def _prepare(localizer: Localizer, request: PhotoRequest) -> _Prepared:
    try:
        data = _read(request.path)
        return localizer.prepare(data, request.given, region=_region_of(request, data))
    except GeoLocalizationError as error:
        return str(error).replace("the image", "the photo", 1)
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise BadImage(f"it has {size:,} bytes, and a photo at most {_MOST_BYTES:,}; is it a photo?")
    try:
        return read_plain(path)
    except NotPlainFile:
        raise BadImage("it is no plain file but a pipe or a device, which may never end; give a plain file") from None


def _region_of(request: PhotoRequest, data: bytes) -> Region | None:
    if request.around_exif_m is None:
        return request.region
    place = read_photo_position(data)
    if place is None:
        raise BadImage("it has no EXIF position to search around; leave --near exif out, or give a position")
    return CircleRegion(place, request.around_exif_m)


def _answer(
    localizer: Localizer, requests: Sequence[PhotoRequest], prepared: Sequence[_Prepared], top_k: int
) -> Iterator[PhotoAnswer]:
    good = [one for one in prepared if isinstance(one, PreparedPhoto)]
    found = iter(_localize(localizer, good, top_k))
    for request, one in zip(requests, prepared, strict=True):
        result = one if isinstance(one, str) else next(found)
        if isinstance(result, str):
            yield PhotoAnswer(request.path, None, result)
        else:
            yield PhotoAnswer(request.path, result)


def _localize(localizer: Localizer, photos: Sequence[PreparedPhoto], top_k: int) -> list[Localization | str]:
    """All together; where one cannot be answered, such as in an area without tiles, one by one."""
    try:
        return list(localizer.answer(photos, top_k=top_k))
    except DatabaseAway:
        raise  # no photo can be answered
    except GeoLocalizationError:
        return [_localize_one(localizer, photo, top_k) for photo in photos]


def _localize_one(localizer: Localizer, photo: PreparedPhoto, top_k: int) -> Localization | str:
    try:
        return localizer.answer([photo], top_k=top_k)[0]
    except DatabaseAway:
        raise
    except GeoLocalizationError as error:
        return str(error)

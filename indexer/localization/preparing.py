"""From an encoded photo to the encoder's canvas: everything before the network, and nothing that needs one.

Apart from the localizer, so that a process of its own can do it, which loads neither a network nor an index.
"""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image

from indexer.localization.answer import PreparedPhoto
from indexer.tiles.region import Region
from model.common.errors import BadImage
from model.common.images import MAX_PIXELS, decode_image
from model.inputs.photo_checks import content_warnings
from model.inputs.photo_metadata import PhotoMetadata, read_photo_metadata
from model.inputs.photo_projection import lay_photo
from model.inputs.photo_view import GivenView, resolve_view
from model.inputs.transforms import InputSpec

__all__ = ["prepare_photo"]


def prepare_photo(
    photo: bytes | Path | str | Image.Image,
    inputs: InputSpec,
    given: GivenView | None = None,
    *,
    region: Region | None = None,
    max_pixels: int = MAX_PIXELS,
) -> PreparedPhoto:
    """Decode a photo, settle where it looks, and lay it on the canvas.

    Args:
        photo: an encoded picture, the file that holds one, or an upright RGB picture, which says nothing of itself.
        inputs: the encoder's.
        given: what is known of the photo besides.
        region: area that will be searched.
        max_pixels: width times height beyond which it is refused.

    Raises:
        BadImage: the photo cannot be read or decoded, or is too large.
        BadConfig: the angles given cannot be those of the photo.
    """
    began = time.perf_counter()
    image, metadata = photo, PhotoMetadata()
    if not isinstance(image, Image.Image):
        try:
            metadata = read_photo_metadata(image)
            image = decode_image(image, at_least_px=inputs.ground_decode_px, max_pixels=max_pixels)
        except OSError as error:
            raise BadImage(f"{photo!s} cannot be read: {error.strerror or error}; give the path of a photo") from error
    view = resolve_view(given or GivenView(), metadata, image.width, image.height)
    canvas = lay_photo(image, inputs, view)
    warnings = (*content_warnings(image), *view.warnings)
    return PreparedPhoto(canvas, view, region, warnings, time.perf_counter() - began)

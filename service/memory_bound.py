"""The most memory that photos can take, computed from the settings: what a host or a container has to have.

It adds what the kernel lets each decoding process take at its worst, all at once, and what bodies take beside it. What
the process holds when nobody asks (model, index, libraries) comes on top, and is measured, not computed.
"""

from __future__ import annotations

from service.concurrency.decode_costs import LIGHT_S, most_bytes
from service.forms import MOST_IN_MEMORY
from service.settings import ServeSettings

__all__ = ["most_bytes_of_photos"]

_COPIES = 3
"""Of an encoded photo that is handed to a decoder: in its form, as it was read, as it is sent."""


def most_bytes_of_photos(settings: ServeSettings) -> int:
    """Bytes that service and decoders together can take beyond what they hold when nobody asks.

    Args:
        settings: what counts is the number of decoders, the largest photo and body, and how many requests there can be.
    """
    photo = {"max_pixels": settings.max_pixels, "encoded_bytes": settings.max_upload_bytes}
    light = settings.decoders * most_bytes(**photo, at_most_s=LIGHT_S)
    heavy = settings.heavy_decoders * most_bytes(**photo)
    handed_over = (settings.decoders + settings.heavy_decoders) * _COPIES * settings.max_upload_bytes
    requests = settings.max_uploads + settings.queue_limit + settings.decoders
    return light + heavy + handed_over + requests * MOST_IN_MEMORY

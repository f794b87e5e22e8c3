"""What a photo may cost to decode: seconds of CPU and bytes of memory by format and size, read off its header.

The table is measured (`python -m benchmarks.decode_costs`), on the pictures that each decoder finds hardest. A photo
gets a multiple of that, so that a slower machine refuses nothing honest; one that takes more is not what it seems.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.common.image_formats import open_header
from model.common.jpeg_scans import MAX_SCANS, count_scans
from model.common.webp_size import webp_size

__all__ = ["LIGHT_S", "Cost", "cost_of", "most_bytes"]

LIGHT_S = 0.3
"""Expected seconds of CPU up to which a photo is a common one."""

_PATIENCE = 6.0
"""Allowed over measured seconds."""
_LEAST_CPU_S = 1.0
"""What any photo may take, however small it says it is."""
_LEAST_BYTES = 128 << 20
"""Beside its pixels: libraries loaded late, stacks of threads, what the allocator keeps."""
_COPIES = 4
"""Of the encoded bytes: as they came, as a decoder reads them, as metadata is looked for."""


@dataclass(frozen=True)
class Cost:
    """What one photo is expected to take, and the most that it may take.

    Attributes:
        expected_s: seconds of CPU on the machine that measured.
        cpu_s: seconds of CPU after which its decoder is killed.
        memory_bytes: beyond which its decoder gets no more.
        pixels: that the header declares; 0 where it cannot be read.
    """

    expected_s: float
    cpu_s: float
    memory_bytes: int
    pixels: int


_MEASURED: dict[str, tuple[float, float]] = {
    "JPEG": (4.0, 10.0),
    "PNG": (90.0, 42.0),
    "WEBP": (105.0, 36.0),
    "TIFF": (90.0, 42.0),
    "AVIF": (200.0, 46.0),
    "HEIF": (260.0, 64.0),
}
"""Format -> nanoseconds of CPU and bytes of memory a pixel, rounded up."""
_NS_PER_JPEG_BYTE = 5.0
"""A JPEG is decoded at a reduced scale, so that its bytes cost more than its pixels."""
_NS_PER_SCAN = 4.0
"""And pixel of a JPEG, beyond its first scan."""


def cost_of(data: bytes, *, max_pixels: int) -> Cost:
    """The cost of an encoded photo; that of an unread one is the least."""
    form, pixels = _declared(data)
    pixels = min(pixels, max_pixels)
    ns, memory = _MEASURED.get(form, (0.0, 0.0))
    scans = count_scans(data, at_most=MAX_SCANS) if form == "JPEG" else 0
    encoded_ns = _NS_PER_JPEG_BYTE * len(data) if form == "JPEG" else 0.0
    expected_s = (pixels * (ns + _NS_PER_SCAN * max(0, scans - 1)) + encoded_ns) / 1e9
    return Cost(
        expected_s=expected_s,
        cpu_s=_LEAST_CPU_S + _PATIENCE * expected_s,
        memory_bytes=_memory(memory, pixels, len(data)),
        pixels=pixels,
    )


def most_bytes(*, max_pixels: int, encoded_bytes: int, at_most_s: float | None = None) -> int:
    """What the decoder of any photo may take at most.

    Args:
        max_pixels: of the largest photo.
        encoded_bytes: likewise.
        at_most_s: only photos that are expected to take no more seconds of CPU; None for all.
    """
    return max(
        _memory(memory, max_pixels if at_most_s is None else min(max_pixels, int(at_most_s * 1e9 / ns)), encoded_bytes)
        for ns, memory in _MEASURED.values()
    )


def _memory(per_pixel: float, pixels: int, encoded_bytes: int) -> int:
    return _LEAST_BYTES + round(per_pixel * pixels) + _COPIES * encoded_bytes


def _declared(data: bytes) -> tuple[str, int]:
    """Format and pixels that the header declares."""
    if (size := webp_size(data)) is not None:
        return "WEBP", size[0] * size[1]
    try:
        with open_header(data) as image:
            form = "JPEG" if image.format == "MPO" else str(image.format)
            return form, image.width * image.height
    except Exception:  # hostile bytes; decoding will give the reason
        return "", 0

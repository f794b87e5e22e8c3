"""Which picture formats are accepted, how their header is opened, and what a file that is none of them is called.

Only the decoders named here are ever tried. HEIC is decoded by pillow-heif, which is loaded once a file looks like one.
"""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, TiffImagePlugin

from model.common.errors import BadImage

__all__ = ["ACCEPTED", "DAMAGED", "load_decoders", "open_header", "refuse_unread_kind", "what_it_is", "without_pixels"]

ACCEPTED = "JPEG, PNG, WebP, TIFF, AVIF or HEIC"
"""As messages say it."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_BRANDS_BYTES = 256
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = frozenset({b"IDAT", b"fdAT", b"acTL", b"fcTL"})
_NEW_SUBFILE_TYPE = 254
_BITS_PER_SAMPLE = 258
_REDUCED = 1
DAMAGED = "damaged or cut short"
"""What is said of a picture whose first bytes are those of an accepted format."""
_SNIFFED_BYTES = 4096
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif"})


def load_decoders() -> None:
    """Load every decoder now, for a process that will have little memory later."""
    Image.preinit()
    Image.init()
    _register_heif()


def open_header(data: bytes) -> Image.Image:
    """Open an accepted picture; no pixel is decoded.

    Raises:
        UnidentifiedImageError: none of the accepted formats, or a damaged header.
        BadImage: a HEIC, and its decoder was taken out of the installation.
        Exception: a decoder may raise anything on hostile bytes.
    """
    if _is_heif(data):
        _register_heif()
        return Image.open(io.BytesIO(data), formats=("HEIF",))
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def without_pixels(data: bytes) -> bytes:
    """A PNG's chunks but those of its pixels, behind which its metadata may stand; other formats as they are."""
    if not data.startswith(_PNG):
        return data
    kept, start = [_PNG], len(_PNG)
    while start + 8 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if data[start + 4 : start + 8] not in _PIXEL_CHUNKS:
            kept.append(data[start:end])
        start = end
    return b"".join(kept)


def refuse_unread_kind(image: Image.Image, name: str) -> None:
    """Refuse an opened TIFF that holds something else than a photo of 8 or 16 bits a channel.

    Raises:
        BadImage: its values are 32 bits wide, or its first picture is a preview, as in a camera's raw file.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    if int(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)) & _REDUCED:
        raise BadImage(f"{name} is a TIFF that begins with a preview, such as a camera's raw file; export it as JPEG")
    if image.mode in ("F", "I"):
        raise BadImage(f"{name} is a TIFF with 32 bits a channel; save it with 8 or 16 bits a channel")


def what_it_is(data: bytes) -> str:
    """What bytes that no accepted decoder opens are, in words; nothing of their content is repeated."""
    if (tiff := _tiff_kind(data)) is not None:
        return tiff
    if data.startswith(_JPEG_XL):
        return "it is JPEG XL"
    if data.startswith(_JPEG):  # the table calls it by the names of its relatives
        return f"it begins as a JPEG, {DAMAGED}"
    if _is_text(data[:_SNIFFED_BYTES]):
        return "it looks like text"
    import puremagic  # its tables take time to load, and few files are strange

    try:
        kinds = puremagic.magic_string(data[:_SNIFFED_BYTES])
    except Exception:  # nothing known, or a table's own reader fails on hostile bytes
        return "of no format that is known here"
    if not kinds:
        return "of no format that is known here"
    damaged = f", {DAMAGED}" if kinds[0].extension in _SUFFIXES else ""
    return f"it looks like {kinds[0].extension}, {kinds[0].name}{damaged}"


def _is_text(data: bytes) -> bool:
    """Whether bytes are plain ASCII; a table of formats would see one in many a first word."""
    return bool(data) and not data.startswith(b"%PDF") and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)


def _tiff_kind(data: bytes) -> str | None:
    """How a TIFF that Pillow does not open stores its pixels; None where it is no TIFF."""
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    try:
        header = data[:16] if data[2:3] == b"+" or data[3:4] == b"+" else data[:8]
        directory = TiffImagePlugin.ImageFileDirectory_v2(header)
        file = io.BytesIO(data)
        file.seek(directory.next)
        directory.load(file)
        bits = directory.get(_BITS_PER_SAMPLE, (1,))
        widths = [int(bit) for bit in (bits if isinstance(bits, tuple) else (bits,))]
    except Exception:  # hostile bytes
        return "a damaged TIFF"
    return f"a TIFF with {sum(widths)} bits a pixel in {len(widths)} channels, of a kind that is not read here"


def _is_heif(data: bytes) -> bool:
    """Whether the file type box of an ISO media file names HEIF, and not AVIF, which Pillow decodes itself."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), _BRANDS_BYTES)
    brands = {data[8:12], *(data[start : start + 4] for start in range(16, end, 4))}
    return bool(brands & _HEIF_BRANDS) and not brands & _AVIF_BRANDS


@cache
def _register_heif() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise BadImage("a HEIC cannot be read here, as pillow-heif is not installed; send a JPEG") from None
    pillow_heif.register_heif_opener(thumbnails=False)

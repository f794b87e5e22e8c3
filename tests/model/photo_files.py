"""Photo files as cameras write them: pixels with EXIF and XMP, in every accepted format."""

import hashlib
import io
import struct

import numpy as np
import pillow_heif
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from model.inputs.panorama_tags import GPANO

pillow_heif.register_heif_opener(thumbnails=False)

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
_GPS, _EXIF = 0x8825, 0x8769


def gpano(as_elements=False, **properties):
    """An XMP packet with GPano properties."""
    if as_elements:
        attributes, inner = "", "".join(f"<GPano:{name}>{value}</GPano:{name}>" for name, value in properties.items())
    else:
        attributes, inner = " ".join(f"GPano:{name}='{value}'" for name, value in properties.items()), ""
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' xmlns:GPano='{GPANO}' {attributes}>{inner}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta>\n<?xpacket end='w'?>"
    ).encode()


def exif(
    *, orientation=None, direction=None, reference=None, focal_mm=None, rendered=None, position=None, error_m=None
):
    """An EXIF block; `position` as (lat, lon)."""
    block = Image.Exif()
    if orientation is not None:
        block[0x0112] = orientation
    gps = block.get_ifd(_GPS)
    if direction is not None:
        gps[17] = direction
    if reference is not None:
        gps[16] = reference
    if position is not None:
        for first, value, letters in zip((1, 3), position, ("NS", "EW"), strict=True):
            gps[first] = letters[value < 0]
            gps[first + 1] = (float(int(abs(value))), abs(value) % 1 * 60, 0.0)
    if error_m is not None:
        gps[31] = error_m
    details = block.get_ifd(_EXIF)
    if focal_mm is not None:
        details[0xA405] = focal_mm
    if rendered is not None:
        details[0xA401] = rendered
    return block.tobytes()


def photo(kind="JPEG", size=(400, 300), *, xmp=None, exif=None, picture=None):
    """An encoded photo."""
    if picture is None:
        noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
        picture = Image.fromarray(noise).resize(size)
    options = {} if exif is None else {"exif": exif}
    if xmp is not None and kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp is not None and kind == "TIFF":
        options["tiffinfo"] = {700: xmp}
    elif xmp is not None:
        options["xmp"] = xmp
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_with_late_metadata(data):
    """The PNG with its texts and EXIF behind its pixels, where some programs write them."""
    chunks, start = [], 8
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        chunks.append(data[start:end])
        start = end
    late = [chunk for chunk in chunks if chunk[4:8] in (b"iTXt", b"eXIf")]
    others = [chunk for chunk in chunks if chunk not in late]
    assert late
    return data[:8] + b"".join([*others[:-1], *late, others[-1]])


def jpeg_segment(payload):
    """An APP1 segment."""
    return b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload


def extended_jpeg(main, extension, *, piece_bytes=60_000, backwards=False, named=None):
    """A JPEG whose XMP packet names an extension, by its digest or another name, and the extension in pieces."""
    digest = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
    note = (
        f"<rdf:Description xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='{named or digest}'/>"
    )
    data = photo("JPEG", (400, 200), xmp=main.replace(b"</rdf:RDF>", note.encode() + b"</rdf:RDF>"))
    segments = [
        jpeg_segment(
            b"http://ns.adobe.com/xmp/extension/\0"
            + digest.encode()
            + struct.pack(">II", len(extension), start)
            + extension[start : start + piece_bytes]
        )
        for start in range(0, len(extension), piece_bytes)
    ]
    at = data.index(b"\xff\xdb")
    return data[:at] + b"".join(segments[::-1] if backwards else segments) + data[at:]

"""The XMP packets of an opened picture: one, or in a JPEG also the extension in which a long one goes on.

What does not fit into a JPEG's segment of 64 KiB stands in others, each with the digest that the first packet names,
and its place in the whole: Adobe's XMP specification, part 3, 1.1.3.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image

from model.inputs.xmp import MAX_XMP_BYTES

__all__ = ["MAX_EXTENSION_BYTES", "Packet", "xmp_packets"]

MAX_EXTENSION_BYTES = 8 << 20
"""Phones put a second picture and a sound into theirs."""

_STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_DIGEST = re.compile(rb"HasExtendedXMP\W{0,8}([0-9A-Fa-f]{32})")
_DIGEST_CHARS = 32
_HEX_PROFILE = "Raw profile type xmp"
_PIECE_HEAD_BYTES = 40


@dataclass(frozen=True)
class Packet:
    """The bytes of a packet, and how many of its kind are read."""

    data: bytes
    at_most: int = MAX_XMP_BYTES


def xmp_packets(image: Image.Image) -> list[Packet]:
    """Every packet of a picture that need not be decoded, the main one first; none where it has none.

    Of an extension that is not complete, what is there comes as a packet, which is no well-formed XML.
    """
    segments: list[tuple[str, bytes]] = getattr(image, "applist", [])
    standard = [data[len(_STANDARD) :] for _, data in segments if data.startswith(_STANDARD)]
    if not standard:
        packet = image.info.get("xmp")
        packets = [packet if isinstance(packet, bytes) else _from_hex(image.info.get(_HEX_PROFILE))]
        return [Packet(packet) for packet in packets if packet]
    pieces = [data[len(_EXTENSION) :] for _, data in segments if data.startswith(_EXTENSION)]
    digests = {digest.upper() for packet in standard for digest in _DIGEST.findall(packet.replace(b"\0", b""))}
    joined = [_joined(pieces, digest) for digest in sorted(digests)]
    return [Packet(packet) for packet in dict.fromkeys(standard)] + [
        Packet(packet, MAX_EXTENSION_BYTES) for packet in joined if packet
    ]


def _joined(pieces: list[bytes], digest: bytes) -> bytes:
    """An extension's pieces in their order; each starts with the digest, the length of all, and its own place."""
    own = [piece for piece in pieces if piece[:_DIGEST_CHARS].upper() == digest and len(piece) > _PIECE_HEAD_BYTES]
    ordered = sorted(own, key=lambda piece: int.from_bytes(piece[_PIECE_HEAD_BYTES - 4 : _PIECE_HEAD_BYTES], "big"))
    return b"".join(piece[_PIECE_HEAD_BYTES:] for piece in ordered)


def _from_hex(text: object) -> bytes:
    """A profile as ImageMagick writes it into a PNG: its name, its length, and hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.split()[2:])) if isinstance(text, str) else b""
    except ValueError:
        return b""

"""The properties of one namespace in an XMP packet, in whichever of RDF's forms they are written.

The packet comes from a stranger: its size is bounded, it may declare no document type and so no entity, and nothing is
built of it but the few properties asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

__all__ = ["MAX_XMP_BYTES", "BadXmp", "merge", "xmp_properties"]

MAX_XMP_BYTES = 1 << 20
"""A packet beyond this is not read. A camera's has a few thousand bytes."""

_MAX_VALUE_CHARS = 100
_SHOWN_CHARS = 40
_PADDING = "\0 \t\r\n\ufeff"
_RDF_VALUE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# value"
_QUALIFIED_DEPTH = 3
"""Elements from a property to its rdf:value, both counted: a description may stand between."""
_WIDE = (
    ("utf-32-le", b"<\0\0\0", 0),
    ("utf-32-be", b"\0\0\0<\0\0\0", 3),
    ("utf-16-le", b"<\0", 0),
    ("utf-16-be", b"\0<\0", 1),
)
"""How the first < looks in text of more than a byte a character, and where in that it stands."""
_SNIFFED_BYTES = 256


class BadXmp(ValueError):
    """A packet that is too large, no well-formed XML, declares a document type, or contradicts itself."""


def xmp_properties(packet: bytes, namespace: str, *, at_most: int = MAX_XMP_BYTES) -> dict[str, str]:
    """The simple properties of a namespace, by local name, stripped.

    Args:
        packet: an XMP packet in any form of Unicode, as pictures hold it, with or without its wrapper and padding.
        namespace: the URI of the properties' namespace; a slash at its end does not matter.
        at_most: bytes beyond which the packet is not read.

    Raises:
        BadXmp: the packet cannot be read, or gives a property two values; the message is half a sentence.
    """
    if len(packet) > at_most:
        raise BadXmp(f"has {len(packet):,} bytes, and no more than {at_most:,} are read")
    reader = _Reader(namespace.rstrip("/"))
    try:
        reader.read(packet)
    except expat.ExpatError as error:
        raise BadXmp(f"is no well-formed XML (line {error.lineno}, column {error.offset})") from None
    except LookupError:
        raise BadXmp("is no well-formed XML (it names an encoding that is not known)") from None
    except UnicodeError:
        raise BadXmp("is no well-formed XML (its characters are damaged)") from None
    return reader.found


def merge(properties: dict[str, str], more: Mapping[str, str]) -> None:
    """Add properties of another packet to those known.

    Raises:
        BadXmp: one of them has another value already.
    """
    for name, value in more.items():
        if not _same(properties.setdefault(name, value), value):
            raise BadXmp(f"gives {name[:_SHOWN_CHARS]} two values")


class _Reader:
    def __init__(self, namespace: str) -> None:
        self.found: dict[str, str] = {}
        self._namespace = namespace
        self._open: list[str] = []
        self._inside: str | None = None
        self._text = ""

    def read(self, packet: bytes) -> None:
        text = _text_of(packet)
        # A declaration within text that has been decoded would name the encoding that it had.
        parser = expat.ParserCreate("utf-8" if isinstance(text, str) else None, namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(text.encode() if isinstance(text, str) else text, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        for key, value in attributes.items():
            self._keep(self._owner() if key == _RDF_VALUE else key, value)
        self._inside, self._text = name, ""

    def _characters(self, text: str) -> None:
        if self._inside is not None and len(self._text) <= _MAX_VALUE_CHARS:
            self._text += text

    def _end(self, name: str) -> None:
        if name == self._inside and self._text.strip():
            self._keep(self._owner() if name == _RDF_VALUE else name, self._text)
        self._open.pop()
        self._inside = None

    def _owner(self) -> str:
        """The property around an rdf:value."""
        near = self._open[-1 : -_QUALIFIED_DEPTH - 1 : -1]
        return next((name for name in near if self._local(name)), "")

    def _local(self, name: str) -> str:
        """A name's part behind the namespace, empty in others."""
        space, _, local = name.rpartition(" ")
        return local if space.rstrip("/") == self._namespace else ""

    def _keep(self, name: str, value: str) -> None:
        if local := self._local(name):
            merge(self.found, {local: value.strip()[: _MAX_VALUE_CHARS + 1]})


def _text_of(packet: bytes) -> bytes | str:
    """A packet without its padding: text where it is of 16 or 32 bits a character, else bytes as they are."""
    start = packet.find(b"<", 0, _SNIFFED_BYTES)
    for encoding, look, place in _WIDE:
        width = int(encoding[4:6]) // 8
        if packet[start - place : start - place + len(look)] == look and (start - place) % width == 0:
            return packet[: len(packet) // width * width].decode(encoding).strip(_PADDING)
    return packet.strip(b"\0 \t\r\n")


def _same(one: str, other: str) -> bool:
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def _refuse_doctype(*_: object) -> None:
    raise BadXmp("declares a document type, which no XMP packet does")

"""The properties of one namespace in an XMP packet, whether written as attributes or as elements.

The packet comes from a stranger: its size is bounded, it may declare no document type and so no entity, and nothing is
built of it but the few properties asked for.
"""

from __future__ import annotations

from xml.parsers import expat

__all__ = ["MAX_XMP_BYTES", "BadXmp", "xmp_properties"]

MAX_XMP_BYTES = 1 << 20
"""A packet beyond this is not read. A camera's has a few thousand bytes."""

_MAX_VALUE_CHARS = 100
_PADDING = b"\0 \t\r\n"


class BadXmp(ValueError):
    """A packet that is too large, no well-formed XML, or declares a document type."""


def xmp_properties(packet: bytes, namespace: str) -> dict[str, str]:
    """The simple properties of a namespace, by local name, stripped; the first of several of one name.

    Args:
        packet: an XMP packet in UTF-8, as pictures hold it, with or without its wrapper and padding.
        namespace: the URI of the properties' namespace.

    Raises:
        BadXmp: the packet cannot be read; the message is half a sentence.
    """
    if len(packet) > MAX_XMP_BYTES:
        raise BadXmp(f"has {len(packet):,} bytes, and no more than {MAX_XMP_BYTES:,} are read")
    reader = _Reader(namespace + " ")
    try:
        reader.read(packet.strip(_PADDING))
    except expat.ExpatError as error:
        raise BadXmp(f"is no well-formed XML (line {error.lineno}, column {error.offset})") from None
    except LookupError:
        raise BadXmp("is no well-formed XML (it names an encoding that is not known)") from None
    return {name: value.strip() for name, value in reader.found.items()}


class _Reader:
    def __init__(self, prefix: str) -> None:
        self.found: dict[str, str] = {}
        self._prefix = prefix
        self._inside: str | None = None
        self._text = ""

    def read(self, packet: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(packet, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            self._keep(key, value)
        self._inside, self._text = name, ""

    def _characters(self, text: str) -> None:
        if self._inside is not None and len(self._text) <= _MAX_VALUE_CHARS:
            self._text += text

    def _end(self, name: str) -> None:
        if name == self._inside:
            self._keep(name, self._text)
        self._inside = None

    def _keep(self, name: str, value: str) -> None:
        if name.startswith(self._prefix):
            self.found.setdefault(name[len(self._prefix) :], value[: _MAX_VALUE_CHARS + 1])


def _refuse_doctype(*_: object) -> None:
    raise BadXmp("declares a document type, which no XMP packet does")

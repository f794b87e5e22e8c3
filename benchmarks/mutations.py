"""Damaged inputs: small valid files of every kind that is parsed, ways to damage them, and what reading ends in."""

from __future__ import annotations

import gzip
import io
import json
import random
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer.common.errors import TileWithoutData
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from model.common.errors import BadImage, GeoLocalizationError
from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position, read_position_error_m
from model.inputs.photo_view import GivenView, resolve_view

__all__ = ["KINDS", "OPERATIONS", "Mutation", "damaged", "draw_mutations", "mutated", "outcome"]

OPERATIONS = ("flip", "set", "insert", "delete", "repeat", "cut", "number")
_TOKENS = (
    b"", b"\0", b"\xff", b"\x7f", b"\x80", b'"', b"'", b",", b";", b"\n", b"\r", b"\t", b"nan", b"1e999", b"-1",
    b"180.1",
    b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"}", b"[", b"null", b"NULL", b"../", b"0" * 40, b"\xff" * 9 + b"\x01", b"sep=",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 127, 128, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 63) - 1, 1 << 62)
_LONGEST_MESSAGE = 2_000


@dataclass(frozen=True)
class Mutation:
    """One damage: what is done, where as a share of the length, and a number that decides the rest."""

    operation: str
    where: float
    choice: int


def draw_mutations(seed: int) -> tuple[int, list[Mutation]]:
    """(which of the valid files, what is done to it) for a seed, the same on every machine."""
    generator = random.Random(seed)
    drawn = [
        Mutation(generator.choice(OPERATIONS), generator.random(), generator.randrange(1 << 32))
        for _ in range(generator.randrange(1, 6))
    ]
    return generator.randrange(1 << 16), drawn


def damaged(kind: str, file: int, mutations: Sequence[Mutation]) -> bytes:
    """The bytes of a file of a kind after some damage."""
    seeds = KINDS[kind].seeds()
    return KINDS[kind].wrap(mutated(seeds[file % len(seeds)], mutations))


def mutated(data: bytes, mutations: Sequence[Mutation]) -> bytes:
    """Bytes after some damage."""
    for mutation in mutations:
        data = _mutated(data, mutation)
    return data


def outcome(kind: str, data: bytes) -> str:
    """`read`, or `refused: ERROR CLASS`.

    Raises:
        AssertionError: the reason for a refusal is no single line, or a very long one.
        Exception: whatever else came out, which is a fault of the reader.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{KINDS[kind].suffix}"
        path.write_bytes(data)
        try:
            KINDS[kind].read(path)
        except (GeoLocalizationError, OSError) as error:
            _require_one_line(str(error))
            return f"refused: {type(error).__name__}"
    return "read"


@dataclass(frozen=True)
class _Kind:
    """How files of a kind are made and read.

    Attributes:
        suffix: of the file's name.
        seeds: valid cores, which are damaged.
        wrap: what is put around a damaged core, so that the damage is not caught by a checksum in front of it.
        read: reads a file.
    """

    suffix: str
    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[Path], None]
    wrap: Callable[[bytes], bytes] = bytes


def _require_one_line(text: str) -> None:
    assert "\n" not in text, f"a reason of several lines: {text!r}"
    assert 0 < len(text) <= _LONGEST_MESSAGE, f"a reason of {len(text)} characters: {text[:200]!r}"


def _mutated(data: bytes, mutation: Mutation) -> bytes:
    at, choice = int(mutation.where * len(data)), mutation.choice
    span = 1 + choice % 64
    token = _TOKENS[choice % len(_TOKENS)]
    if mutation.operation == "flip" and data:
        return data[:at] + bytes([data[at] ^ (1 << choice % 8)]) + data[at + 1 :]
    if mutation.operation == "set":
        return data[:at] + token + data[at + len(token) :]
    if mutation.operation == "insert":
        return data[:at] + token + data[at:]
    if mutation.operation == "delete":
        return data[:at] + data[at + span :]
    if mutation.operation == "repeat":
        return data[:at] + data[at : at + span] * (2 + choice % 7) + data[at + span :]
    if mutation.operation == "cut":
        return data[:at]
    form = ("<i", "<q", ">i", ">q")[choice % 4]
    size, number = struct.calcsize(form), _NUMBERS[choice // 4 % len(_NUMBERS)]
    limit = 1 << (8 * size - 1)
    return data[:at] + struct.pack(form, (number + limit) % (2 * limit) - limit) + data[at + size :]


def _read_source(path: Path) -> None:
    listed = path.suffix in (".csv", ".parquet")  # where the size of tiles is asked for
    source = open_source(path, SourceOptions(tile_size_m=50.0 if listed else None))
    try:
        table = source.list_tiles().table
        for row in range(min(3, len(table))):
            try:
                source.read(table.record(row))
            except (BadImage, TileWithoutData, OSError) as error:
                _require_one_line(str(error))
    finally:
        source.close()


def _read_manifest(path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (path.parent / name).write_bytes(_picture("PNG"))
    read_manifest(path)


def _read_picture(path: Path) -> None:
    """Its pixels, and what it says of itself, of which nothing may fail, and which may be asked for even so."""
    said = read_photo_metadata(path)
    assert all(doubt.isprintable() for doubt in said.doubts)
    resolve_view(GivenView(), said, 32, 16)
    read_photo_position(path)
    read_position_error_m(path)
    decode_image(path, max_pixels=1_000_000)


def _picture(form: str, exif: bytes = b"", xmp: bytes = b"") -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    extra = ({"exif": exif} if exif else {}) | ({"xmp": xmp} if xmp else {})
    Image.fromarray(pixels).save(buffer, form, **extra)
    return buffer.getvalue()


@cache
def _pmtiles_files() -> tuple[bytes, ...]:
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import Writer

    files = []
    for compression in (Compression.NONE, Compression.GZIP):
        buffer = io.BytesIO()
        writer: Any = Writer(buffer)  # type: ignore[no-untyped-call]
        for y in range(20):
            picture = _picture("PNG")
            writer.write_tile(
                zxy_to_tileid(15, 17_000, 11_000 + y),
                picture if compression == Compression.NONE else gzip.compress(picture, mtime=0),
            )
        header = {"tile_type": TileType.PNG, "tile_compression": compression, "min_zoom": 15, "max_zoom": 15}
        names = (
            "min_lon_e7",
            "min_lat_e7",
            "max_lon_e7",
            "max_lat_e7",
            "center_zoom",
            "center_lon_e7",
            "center_lat_e7",
        )
        writer.finalize(header | dict.fromkeys(names, 0), {})
        files.append(buffer.getvalue())
    return tuple(files)


@cache
def _pmtiles_directories() -> tuple[bytes, ...]:
    from pmtiles.tile import Entry, serialize_directory

    first = (4**15 - 1) // 3
    plain = [Entry(first + 7 * number, number * 50, 50, 1 + number % 3) for number in range(40)]
    leaves = [Entry(first, 0, 40, 0), Entry(first + 100, 40, 40, 0)]
    return tuple(gzip.decompress(serialize_directory(entries)) for entries in (plain, leaves))


def _around_directory(directory: bytes) -> bytes:
    """An archive whose root directory these bytes are, packed after the damage."""
    whole = _pmtiles_files()[0]
    packed = gzip.compress(directory, mtime=0)
    header = bytearray(whole[:127])
    struct.pack_into("<QQ", header, 8, 127, len(packed))
    struct.pack_into("<QQ", header, 40, 127, len(packed))  # leaves: the same bytes again
    return bytes(header) + packed + whole[-2_000:]


@cache
def _mbtiles_files() -> tuple[bytes, ...]:
    files = []
    for metadata in ({"format": "png", "bounds": "6.76,50.7,6.79,50.8"}, {}):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a"
            database = sqlite3.connect(path)
            database.execute("PRAGMA page_size=512")
            database.execute("CREATE TABLE metadata (name text, value text)")
            database.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
            database.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
            rows = [(15, 17_000, 21_767 - y, _picture("PNG")[:60]) for y in range(10)]
            database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
            database.commit()
            database.close()
            files.append(path.read_bytes())
    return tuple(files)


def _polygon(west: float, south: float, east: float, north: float) -> bytes:
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return struct.pack("<BIII", 1, 3, 1, 5) + np.array(ring, "<f8").tobytes()


def _parquet(shapes: Sequence[bytes], about: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"{number}.png" for number in range(len(shapes))]
    table = pa.table({"path": names, "geometry": pa.array(list(shapes), pa.binary())})
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"geo": about}), buffer, compression="none")
    return buffer.getvalue()


_ABOUT = json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}})


@cache
def _geoparquet_files() -> tuple[bytes, ...]:
    shapes = [_polygon(8 + 0.01 * number, 47.0, 8.01 + 0.01 * number, 47.01) for number in range(8)]
    return _parquet(shapes, _ABOUT), _parquet([struct.pack("<BIdd", 1, 1, 8.0, 47.0)], _ABOUT)


@cache
def _geometries() -> tuple[bytes, ...]:
    whole = _polygon(8.0, 47.0, 8.01, 47.01)
    both = _polygon(179.99, 47.0, 180.0, 47.01) + _polygon(-180.0, 47.0, -179.99, 47.01)
    return whole, struct.pack("<BII", 1, 6, 2) + both, struct.pack("<BIdd", 1, 1, 8.0, 47.0)


def _around_description(text: bytes) -> bytes:
    return _parquet([_polygon(8.0, 47.0, 8.01, 47.01)], text.decode("latin-1"))


_EXIF = (
    b"Exif\0\0MM\0*\0\0\0\x08\0\x03\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x87i\0\x04\0\0\0\x01\0\0\0\x32"
    b"\x88%\0\x04\0\0\0\x01\0\0\0\x32\0\0\0\0\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0"
)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
    b'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:PoseHeadingDegrees="90.0" '
    b'GPano:FullPanoWidthPixels="32" GPano:CroppedAreaImageWidthPixels="16"/></rdf:RDF></x:xmpmeta>'
)

KINDS: dict[str, _Kind] = {
    "pmtiles": _Kind(".pmtiles", _pmtiles_files, _read_source),
    "pmtiles-directory": _Kind(".pmtiles", _pmtiles_directories, _read_source, _around_directory),
    "mbtiles": _Kind(".mbtiles", _mbtiles_files, _read_source),
    "geoparquet": _Kind(".parquet", _geoparquet_files, _read_source),
    "geoparquet-wkb": _Kind(".parquet", _geometries, _read_source, lambda shape: _parquet([shape], _ABOUT)),
    "geoparquet-description": _Kind(".parquet", lambda: (_ABOUT.encode(),), _read_source, _around_description),
    "csv-list": _Kind(
        ".csv",
        lambda: (
            b"path,west,south,east,north,tile_id\na.png,8.0,47.0,8.01,47.01,one\nb.png,8.1,47.0,8.11,47.01,two\n",
            "path;lat;lon\r\nZ\xfcrich.png;47,1;8,5\r\nb.png;47,2;8,5\r\n".encode(),
        ),
        _read_source,
    ),
    "csv-manifest": _Kind(
        ".csv",
        lambda: (
            b"query,reference,lat,lon,reference_lat,reference_lon,heading_deg\n"
            b"a.png,b.png,47.1,8.5,47.1,8.5,-90\na.png,c.png,47.1,8.5,47.2,8.5,10\n,b.png,,,,,\n",
        ),
        _read_manifest,
    ),
    "exif": _Kind(".jpg", lambda: (_EXIF,), _read_picture, lambda block: _jpeg_with(block)),
    "xmp": _Kind(".png", lambda: (_XMP,), _read_picture, lambda text: _png_with(text)),
    "xmp-jpeg": _Kind(".jpg", lambda: _xmp_segments(), _read_picture, lambda segments: _jpeg_after(segments)),
}
"""Every kind of input that is damaged, by name."""


def _jpeg_with(block: bytes) -> bytes:
    """A JPEG with this application block."""
    return _jpeg_after(_segment(block))


def _jpeg_after(segments: bytes) -> bytes:
    """A JPEG with these segments in front of its own."""
    plain = _picture("JPEG")
    return plain[:2] + segments + plain[2:]


def _xmp_segments() -> tuple[bytes, ...]:
    """Application segments with a packet that goes on in two others, and with one in UTF-16."""
    digest = b"0123456789ABCDEF" * 2
    note = b'<rdf:Description xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="' + digest + b'"/></rdf:RDF>'
    main = b"http://ns.adobe.com/xap/1.0/\0" + _XMP.replace(b"</rdf:RDF>", note)
    rest = b"<a xmlns:p='http://ns.google.com/photos/1.0/panorama/'><p:PosePitchDegrees>1</p:PosePitchDegrees></a>"
    pieces = [
        b"http://ns.adobe.com/xmp/extension/\0" + digest + struct.pack(">II", len(rest), at) + rest[at : at + 60]
        for at in range(0, len(rest), 60)
    ]
    wide = b"http://ns.adobe.com/xap/1.0/\0" + _XMP.decode().encode("utf-16")
    return b"".join(map(_segment, (main, *pieces))), _segment(wide)


def _segment(block: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", min(65_535, len(block) + 2)) + block[:65_533]


def _png_with(text: bytes) -> bytes:
    """A PNG with this text as its XMP."""
    import zlib

    plain = _picture("PNG")
    chunk = b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + text
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return plain[:33] + framed + plain[33:]

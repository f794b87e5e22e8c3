"""Compressed tiles are unpacked, within a bound."""

import gzip

import pytest

from indexer.tiles.sources.gzipped import LARGEST_TILE_BYTES, is_gzipped, unpacked


def test_what_is_compressed_is_unpacked_and_all_else_stays() -> None:
    assert unpacked(gzip.compress(b"picture")) == b"picture"
    assert unpacked(b"\x89PNG picture") == b"\x89PNG picture"
    assert (is_gzipped(gzip.compress(b"")), is_gzipped(b"\xff\xd8\xff"), is_gzipped(b"")) == (True, False, False)


def test_damage_and_bombs_are_said() -> None:
    with pytest.raises(ValueError, match="cannot be decompressed"):
        unpacked(gzip.compress(b"picture")[:-9])
    with pytest.raises(ValueError, match="unpacks to more than"):
        unpacked(gzip.compress(bytes(LARGEST_TILE_BYTES + 1), compresslevel=1))

"""PNG pictures of 16 bits: whatever their sensor used of the range, they are seen, and alike over a whole corpus."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.building.build import build_index
from indexer.building.verify import verify_index
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from model.common.errors import BadImage
from model.common.images import decode_image
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, make_tiles

KINDS = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(values: NDArray[np.uint16], exif: bytes = b"") -> bytes:
    """[H, W, channels] as a PNG of 16 bits; Pillow writes grey alone."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, KINDS[channels], 0, 0, 0)
    extra = chunk(b"eXIf", exif) if exif else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def ramp(top: int, channels: int) -> NDArray[np.uint16]:
    values = np.linspace(0, top, 64 * 48 * min(channels, 3)).reshape(48, 64, -1).astype(np.uint16)
    return values if channels != 4 else np.concatenate([values, np.full((48, 64, 1), 65_535, np.uint16)], axis=2)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_values_fill_the_range_without_being_clipped(channels: int, bits: int) -> None:
    values = ramp((1 << bits) - 1, channels)
    picture = np.asarray(decode_image(png16(values)))
    assert picture.shape == (48, 64, 3)
    expected = (values[:, :, :3] >> (bits - 8)) if bits > 8 else values[:, :, :3]
    assert np.array_equal(picture, np.broadcast_to(expected, picture.shape).astype(np.uint8))


def test_a_sensor_of_11_bits_is_seen() -> None:
    assert np.asarray(decode_image(png16(ramp(2047, 3)))).max() == 127


def test_a_known_depth_is_taken_and_clips_what_is_beyond() -> None:
    picture = np.asarray(decode_image(png16(ramp(1000, 1)), value_bits=12))
    assert picture.max() == 1000 >> 4
    assert np.asarray(decode_image(png16(ramp(9000, 1)), value_bits=12)).max() == 255


def test_transparency_and_orientation_are_kept() -> None:
    values = ramp(4095, 4)
    values[:, :10, 3] = 0
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = np.asarray(decode_image(png16(values, exif.tobytes().removeprefix(b"Exif\0\0"))))
    assert picture.shape == (64, 48, 3)
    upright = np.rot90((values[:, :, :3] >> 4).astype(np.uint8), -1)
    assert (picture[:10] == 128).all()
    assert np.array_equal(picture[10:], upright[10:])


def test_black_stays_black_and_damage_is_told() -> None:
    assert np.asarray(decode_image(png16(np.zeros((8, 8, 3), np.uint16)))).max() == 0
    with pytest.raises(BadImage, match="cannot be decoded"):
        decode_image(png16(ramp(4095, 3))[:400])


def test_grey_as_pillow_writes_it() -> None:
    buffer = io.BytesIO()
    Image.fromarray(ramp(4095, 1)[:, :, 0]).save(buffer, "PNG")
    assert np.asarray(decode_image(buffer.getvalue())).max() == 255


@pytest.mark.parametrize("bits", [12, 16])
def test_a_grey_tiff_whose_zero_is_white_is_turned(bits: int) -> None:
    values = ramp((1 << bits) - 1, 1)[:, :, 0]
    found = []
    for photometric in (1, 0):
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, "TIFF", tiffinfo={262: photometric})
        data = buffer.getvalue()
        with Image.open(io.BytesIO(data)) as image:
            assert image.tag_v2[262] == photometric
        found.append(np.asarray(decode_image(data)).astype(int))
    assert np.abs(found[0] + found[1] - 255).max() <= 1
    assert found[0].max() > 250


def test_a_corpus_is_drawn_on_one_scale(tmp_path: Path) -> None:
    folder = tmp_path / "tiles" / "15" / str(LEFT)
    folder.mkdir(parents=True)
    ground = np.random.default_rng(0).integers(100, 900, (3, 3, 1)).astype(np.uint16).repeat(16, 0).repeat(16, 1)
    bright = ground.copy()
    bright[40:, 40:] = 4000
    for number, values in enumerate((ground, bright, ground)):
        (folder / f"{TOP + number}.png").write_bytes(png16(values))
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert any("16 bits of which 12 are used" in note for note in summary.notes)
    index = TileIndex.open(tmp_path / "index")
    assert index.segments[0].manifest.source["value_bits"] == 12
    assert index.has_pictures
    expected = FakeEncoder().encode_satellite(
        np.asarray(Image.fromarray((ground[:, :, 0] >> 4).astype(np.uint8)).convert("RGB").resize((32, 32)))[None]
    )
    rows = {index.tile(row).y: row for row in range(index.count)}
    assert float(index.vector(rows[TOP])[0].astype(np.float32) @ expected[0]) > 0.999
    assert verify_index(index, FakeEncoder(), sample=3).least_similarity > 0.999
    index.close()


def test_a_corpus_of_8_bits_says_nothing_of_depth(tmp_path: Path) -> None:
    build_index(open_source(make_tiles(tmp_path / "tiles")), FakeEncoder(), tmp_path / "index")
    assert "value_bits" not in TileIndex.open(tmp_path / "index").segments[0].manifest.source

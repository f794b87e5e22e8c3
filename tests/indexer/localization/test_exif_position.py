"""A position in an EXIF block, and not one other byte moved."""

import random
import struct

import piexif
import pytest

from indexer.localization.exif_position import EMPTY, with_position
from model.common.geo import LatLon

PLACE = LatLon(-48.87654321, 123.456789)
NOTE = bytes(range(256)) * 4


def block(order: str = "<", **gps: object) -> bytes:
    """Make, orientation, a maker's note, and what GPS tags there are, written by hand in either byte order."""
    entries = [(0x010F, 2, b"Camera Company\0"), (0x0112, 3, struct.pack(order + "H", 6)), (0xC0DE, 7, NOTE)]
    positions = [(int(tag[1:], 16), kind, data) for tag, (kind, data) in gps.items()]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    first, gps_data = entries + ([(0x8825, 4, b"")] if positions else []), b""
    at = 8 + 2 + 12 * len(first) + 4
    gps_at = at + sum(len(data) + len(data) % 2 for _, _, data in entries if len(data) > 4)
    if positions:
        gps_data = directory(order, positions, gps_at)
        first[-1] = (0x8825, 4, struct.pack(order + "I", gps_at))
    return head + directory(order, sorted(first), 8) + gps_data


def directory(order: str, entries: list[tuple[int, int, bytes]], at: int) -> bytes:
    size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    rows, values, end = b"", b"", at + 2 + 12 * len(entries) + 4
    for tag, kind, data in entries:
        value = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", end + len(values))
        rows += struct.pack(order + "HHI", tag, kind, len(data) // size[kind]) + value
        values += data + b"\0" * (len(data) % 2) if len(data) > 4 else b""
    return struct.pack(order + "H", len(entries)) + rows + struct.pack(order + "I", 0) + values


def rationals(order: str, *numbers: int) -> bytes:
    return struct.pack(f"{order}{len(numbers)}I", *numbers)


def old_gps(order: str) -> dict[str, tuple[int, bytes]]:
    angle = (5, rationals(order, 1, 1, 2, 1, 3, 1))
    north, east = (2, b"N\0"), (2, b"E\0")
    said = {"x1": north, "x2": angle, "x3": east, "x4": angle, "x6": (5, rationals(order, 400, 1))}
    return said | {"x11": (5, rationals(order, 7, 2)), "x1b": (7, b"ASCII\0\0\0GPS"), "x1d": (2, b"2026:01:02\0")}


def degrees(exif: dict[str, dict[int, object]]) -> tuple[float, float]:
    gps, found = exif["GPS"], []
    for tag in (2, 4):
        angle: tuple[tuple[int, int], ...] = gps[tag]  # type: ignore[assignment]
        value = sum(number / part / 60**power for power, (number, part) in enumerate(angle))
        found.append(value if gps[tag - 1] in (b"N", b"E") else -value)
    return found[0], found[1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("known", [True, False])
def test_the_position_is_there_and_all_else_is_where_it_was(order: str, known: bool) -> None:
    before = block(order, **(old_gps(order) if known else {}))
    after = with_position(before, PLACE)
    assert degrees(piexif.load(b"Exif\0\0" + after)) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-7)
    moved = [at for at in range(len(before)) if before[at] != after[at]]
    assert set(moved) - set(range(4, 8)) <= set(range(before.index(NOTE) + len(NOTE), len(before)))
    one, other = piexif.load(b"Exif\0\0" + before), piexif.load(b"Exif\0\0" + after)
    one["0th"].pop(0x8825, None)
    other["0th"].pop(0x8825)
    assert one["0th"] == other["0th"]
    if known:
        assert other["GPS"][17] == (7, 2)
        assert other["GPS"][29] == b"2026:01:02"
        assert 6 not in other["GPS"]


@pytest.mark.parametrize("order", ["<", ">"])
def test_of_the_old_position_nothing_is_left(order: str) -> None:
    before = block(order, **old_gps(order))
    after = with_position(before, PLACE)
    for secret in (rationals(order, 1, 1, 2, 1, 3, 1), rationals(order, 400, 1), b"ASCII\0\0\0GPS"):
        assert secret in before
        assert secret not in after


def test_a_second_position_replaces_the_first() -> None:
    after = with_position(with_position(block(), LatLon(1.0, 2.0)), PLACE)
    assert degrees(piexif.load(b"Exif\0\0" + after)) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-7)


def test_a_block_that_says_nothing_says_where() -> None:
    found = piexif.load(b"Exif\0\0" + with_position(EMPTY, PLACE))
    assert degrees(found) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-7)
    assert not found["Exif"]


def test_the_next_directory_is_still_the_next() -> None:
    before = bytearray(block())
    next_at = 8 + 2 + 12 * before[8]
    before[next_at : next_at + 4] = struct.pack("<I", 1234)
    assert with_position(bytes(before), PLACE)[-4:] == struct.pack("<I", 1234)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin as a TIFF"),
        (b"II+\0\x08\0\0\0", "a BigTIFF"),
        (b"II*\0\xff\0\0\0", "beyond its end"),
        (b"II*\0\x00\0\0\0\0\0", "beyond its end"),
        (b"II*\0\x08\0\0\0\x01\0\x25\x88\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0", "lie in each other"),
        (b"II*\0\x08\0\0\0\x01\0\x25\x88\x04\0\x01\0\0\0\xff\0\0\0\0\0\0\0", "beyond its end"),
    ],
)
def test_what_is_damaged_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        with_position(data, PLACE)


def test_a_position_of_many_bytes_is_none() -> None:
    with pytest.raises(ValueError, match="is too long"):
        with_position(block(x1b=(7, b"x" * 5000)), PLACE)


def test_any_bytes_are_changed_or_refused() -> None:
    numbers, whole = random.Random(0), block("<", **old_gps("<"))
    changed = 0
    for _ in range(3000):
        data = bytearray(whole[: numbers.choice((len(whole), numbers.randrange(len(whole))))])
        for _ in range(numbers.randrange(1, 6)):
            if data:
                data[numbers.choice((numbers.randrange(len(data)), numbers.randrange(min(60, len(data)))))] = (
                    numbers.randrange(256)
                )
        try:
            after = with_position(bytes(data), PLACE)
        except ValueError:
            continue
        assert len(data) < len(after) < len(data) + 2 * 12 * 65_536
        changed += 1
    assert changed > 500

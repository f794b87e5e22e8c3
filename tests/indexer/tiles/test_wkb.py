import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.common.errors import BadSource
from indexer.tiles.wkb import box_wkb, extent_of_parts, wkb_extent


def columns(*boxes: tuple[float, float, float, float]) -> list[np.ndarray]:
    return list(np.array(boxes, np.float64).T)


def test_a_box_is_a_closed_counter_clockwise_polygon() -> None:
    (shape,) = box_wkb(*columns((8.0, 47.0, 9.0, 48.0)))
    order, kind, rings, points = struct.unpack_from("<BIII", shape)
    ring = np.frombuffer(shape, "<f8", offset=13).reshape(5, 2).tolist()
    assert (order, kind, rings, points) == (1, 3, 1, 5)
    assert ring == [[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]


def test_a_box_across_the_antimeridian_is_two_polygons() -> None:
    plain, crossing = box_wkb(*columns((8.0, 47.0, 9.0, 48.0), (179.0, 0.0, -179.0, 1.0)))
    assert struct.unpack_from("<BII", crossing) == (1, 6, 2)
    assert wkb_extent(crossing) == (179.0, 0.0, -179.0, 1.0)
    assert wkb_extent(plain) == (8.0, 47.0, 9.0, 48.0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (struct.pack(">BIdd", 0, 1, 8.0, 47.0), (8.0, 47.0, 8.0, 47.0)),
        (struct.pack("<BIddd", 1, 1001, 8.0, 47.0, 400.0), (8.0, 47.0, 8.0, 47.0)),
        (struct.pack("<BIIdd", 1, 0x20000001, 4326, 8.0, 47.0), (8.0, 47.0, 8.0, 47.0)),
    ],
)
def test_points_of_either_byte_order_and_with_extras_are_read(data: bytes, expected: tuple[float, ...]) -> None:
    assert wkb_extent(data) == expected


@pytest.mark.parametrize(
    "data", [b"", b"\1", struct.pack("<BII", 1, 2, 0), struct.pack("<BII", 1, 3, 0), b"\1\3\0\0\0\1\0\0\0\5"]
)
def test_other_geometries_are_refused(data: bytes) -> None:
    with pytest.raises(BadSource, match="geometry"):
        wkb_extent(data)


@given(
    west=st.floats(-180.0, 180.0),
    width=st.floats(1e-4, 20.0),
    south=st.floats(-80.0, 79.0),
    height=st.floats(1e-4, 1.0),
)
@example(west=180.0, width=1.0, south=0.0, height=1.0)
@example(west=179.0, width=1.0, south=0.0, height=1.0)
@example(west=179.99999999999997, width=1.0, south=0.0, height=1.0)
@example(west=-180.0, width=1.0, south=0.0, height=1.0)
def test_a_box_has_one_extent_whether_cut_running_on_or_jumping(
    west: float, width: float, south: float, height: float
) -> None:
    east, north = west + width, south + height
    crossing = east > 180.0
    plain = east - 360.0 if crossing else east
    written = wkb_extent(box_wkb(*columns((west, south, plain, north)))[0])
    forms = [[(west, east)], [(west - 360.0, east - 360.0)]] if crossing else [[(west, east)]]
    forms += [[(west, 180.0), (-180.0, plain)], [(west, plain)]] if crossing else []

    def is_the_box(found: tuple[float, float, float, float]) -> bool:
        # 180 and -180 are one meridian: which of the two is written, the tests below say
        turns = [(a - b + 180.0) % 360.0 - 180.0 for a, b in zip(found, (west, south, plain, north), strict=True)]
        return max(abs(turn) for turn in turns) < 1e-9 and abs((found[2] - found[0]) % 360.0 - width) < 1e-9

    assert is_the_box(written)
    for form in forms:
        rings = [np.array([(a, south), (b, south), (b, north), (a, north), (a, south)]) for a, b in form]
        assert is_the_box(extent_of_parts(rings))


@pytest.mark.parametrize(
    ("ring_lon", "expected"),
    [((180.0, -179.0), (-180.0, -179.0)), ((179.0, -180.0), (179.0, 180.0)), ((-181.0, -180.0), (179.0, 180.0)),
     ((180.0, 181.0), (-180.0, -179.0)), ((-180.0, 180.0), (-180.0, 180.0)), ((180.0, 180.0), (180.0, 180.0))],
)  # fmt: skip
def test_a_box_that_only_touches_the_antimeridian_does_not_cross_it(
    ring_lon: tuple[float, float], expected: tuple[float, float]
) -> None:
    west, east = ring_lon
    ring = np.array([(west, 0.0), (east, 0.0), (east, 1.0), (west, 1.0), (west, 0.0)])
    assert extent_of_parts([ring]) == (expected[0], 0.0, expected[1], 1.0)


def test_a_box_from_the_antimeridian_is_one_polygon() -> None:
    for box in ((180.0, 0.0, -179.0, 1.0), (179.0, 0.0, -180.0, 1.0)):
        (shape,) = box_wkb(*columns(box))
        assert struct.unpack_from("<BI", shape) == (1, 3)

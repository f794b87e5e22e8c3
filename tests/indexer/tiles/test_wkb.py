import struct

import numpy as np
import pytest
from hypothesis import given
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
def test_a_box_has_one_extent_whether_cut_running_on_or_jumping(
    west: float, width: float, south: float, height: float
) -> None:
    east, north = west + width, south + height
    crossing = east > 180.0
    plain = east - 360.0 if crossing else east
    written = wkb_extent(box_wkb(*columns((west, south, plain, north)))[0])
    forms = [[(west, east)], [(west - 360.0, east - 360.0)]] if crossing else [[(west, east)]]
    forms += [[(west, 180.0), (-180.0, plain)], [(west, plain)]] if crossing else []
    expected = pytest.approx((west, south, plain, north), abs=1e-9)
    assert written == expected
    for form in forms:
        rings = [np.array([(a, south), (b, south), (b, north), (a, north), (a, south)]) for a, b in form]
        assert extent_of_parts(rings) == expected

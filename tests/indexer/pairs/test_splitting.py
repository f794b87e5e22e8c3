import numpy as np
import pytest

from indexer.common.errors import BadPhotos
from indexer.pairs.specs import SplitSpec
from indexer.pairs.splitting import BETWEEN, PARTS, split_by_area
from model.common.geo import LatLon, great_circle_many_m, offset_m

HERE = LatLon(47.0, 8.0)


def town(count: int, side_m: float, middle: LatLon = HERE, seed: int = 0) -> list[LatLon]:
    random = np.random.default_rng(seed)
    return [offset_m(middle, east_m=east, north_m=north) for east, north in random.uniform(0, side_m, (count, 2))]


def least_m(places, parts, one: int, other: int) -> float:
    lat, lon = np.array([(place.lat, place.lon) for place in places]).T
    a, b = parts == one, parts == other
    return float(great_circle_many_m(lat[a][:, None], lon[a][:, None], lat[b], lon[b]).min())


@pytest.mark.parametrize("middle", [LatLon(47.0, 8.0), LatLon(-16.5, 179.99), LatLon(78.2, 15.6)])
@pytest.mark.parametrize("between_m", [50.0, 200.0])
def test_no_photo_stands_near_one_of_another_part(middle: LatLon, between_m: float) -> None:
    places = town(600, 3_000.0, middle)
    parts = split_by_area(places, SplitSpec(between_m=between_m))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert least_m(places, parts, one, other) >= between_m
    shares = [float((parts == part).mean()) for part in range(len(PARTS))]
    assert shares[0] > 0.4
    assert 0.07 <= shares[2] < 0.25
    assert 0.07 <= shares[1] < 0.25


def test_what_is_left_out_is_near_a_held_out_photo() -> None:
    places = town(400, 2_500.0)
    parts = split_by_area(places, SplitSpec())
    lat, lon = np.array([(place.lat, place.lon) for place in places]).T
    held, lost = (parts == 1) | (parts == 2), parts == BETWEEN
    near = great_circle_many_m(lat[lost][:, None], lon[lost][:, None], lat[held], lon[held]).min(axis=1)
    assert near.max() < 200.0


def test_towns_apart_are_held_out_whole_and_lose_nothing() -> None:
    places = [place for number in range(8) for place in town(30, 100.0, LatLon(47.0 + number, 8.0), seed=number)]
    parts = split_by_area(places, SplitSpec())
    assert not (parts == BETWEEN).any()
    assert all(len(set(parts[start : start + 30].tolist())) == 1 for start in range(0, 240, 30))


def test_the_same_photos_are_split_alike() -> None:
    places = town(200, 3_000.0)
    assert (split_by_area(places, SplitSpec(seed=3)) == split_by_area(places, SplitSpec(seed=3))).all()


@pytest.mark.parametrize("places", [[LatLon(47.0, 8.0)] * 20, town(40, 90.0), town(2, 5_000.0), [LatLon(47.0, 8.0)]])
def test_photos_that_cannot_be_held_apart_are_refused_with_the_counts(places: list[LatLon]) -> None:
    with pytest.raises(BadPhotos, match=r"cannot be split so that 200 m lie between the parts .*; add photos"):
        split_by_area(places, SplitSpec())

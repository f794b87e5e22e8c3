import numpy as np
import pytest
from pyproj import Transformer

from model.data.benchmarks.utm import utm_to_lat_lon


@pytest.mark.parametrize(("zone", "south", "epsg"), [(55, True, 32755), (1, False, 32601), (32, False, 32632)])
def test_it_agrees_with_proj_to_a_millimetre(zone, south, epsg):
    random = np.random.default_rng(zone)
    lat = random.uniform(-80, 0, 500) if south else random.uniform(0, 84, 500)
    lon = zone * 6.0 - 183.0 + random.uniform(-3, 3, 500)
    easting_m, northing_m = Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    found = utm_to_lat_lon(easting_m, northing_m, zone=zone, south=south)
    assert np.abs(found[0] - lat).max() < 1e-8  # a degree is 111 km
    assert (np.abs(found[1] - lon) * np.cos(np.radians(lat))).max() < 1e-8

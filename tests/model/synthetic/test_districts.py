import numpy as np

from model.synthetic.districts import DISTRICT_M, district_map


def test_every_pixel_belongs_to_the_nearest_centre():
    x = np.linspace(-700.0, 700.0, 15)
    y = np.linspace(650.0, -650.0, 14)
    districts, nearest, border_m = district_map(5, x, y)
    centres = np.array([district.centre_m for district in districts])
    distances = np.hypot(x[None, :, None] - centres[:, 0], y[:, None, None] - centres[:, 1])
    assert (nearest == distances.argmin(axis=2)).all()
    two = np.sort(distances, axis=2)[:, :, :2]
    np.testing.assert_allclose(border_m, (two[:, :, 1] - two[:, :, 0]) / 2, atol=0.05)


def test_a_district_is_the_same_seen_from_any_window():
    def centres(left):
        found, _, _ = district_map(5, np.arange(left, left + 400.0), np.zeros(1))
        return {district.centre_m: district for district in found}

    one, other = centres(0.0), centres(DISTRICT_M)
    shared = set(one) & set(other)
    assert len(shared) > 10
    assert all(one[centre] == other[centre] for centre in shared)


def test_street_grids_are_turned_by_a_unit_vector():
    found, _, _ = district_map(7, np.zeros(1), np.zeros(1))
    for district in found:
        assert abs(np.hypot(*district.direction) - 1.0) < 1e-12
        assert district.style in ("suburb", "town", "industry", "rural")

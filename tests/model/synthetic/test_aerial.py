import numpy as np
import pytest

from model.common.errors import BadDataset
from model.synthetic.aerial import aerial_ground, mirror, mirrored, read_aerial
from model.synthetic.ground import Material
from tests.model.synthetic.aerial_photos import HOUSE, TREE, write_photo


@pytest.fixture
def photo(tmp_path):
    path = write_photo(tmp_path / "images" / "town_2018_1.tif")
    return read_aerial(path, tmp_path / "csv" / "town_2018_1.csv")


def test_a_photo_comes_in_pixels_of_half_a_metre(photo):
    assert photo.bands.shape == (300, 300, 4)  # 250 pixels of 0.6 m
    assert photo.trees_px.tolist() == [[TREE[0] * 1.2, TREE[1] * 1.2]]


@pytest.mark.parametrize("alpha", ["YES", "NO"])
def test_the_fourth_band_is_infrared_whatever_the_file_calls_it(tmp_path, photo, alpha):
    path = write_photo(tmp_path / "images" / "other.tif", photometric="RGB", alpha=alpha)
    assert np.array_equal(read_aerial(path).bands, photo.bands)


def test_a_house_stands_where_its_roof_is_and_a_tree_where_it_is_listed(photo):
    ground = aerial_ground(photo, np.random.default_rng(0))
    left, top, right, bottom = (round(value * 1.2) for value in HOUSE)
    house = ground.material[top + 3 : bottom - 3, left + 3 : right - 3]
    assert (house == Material.BUILDING).mean() > 0.9
    assert ground.height_m[(top + bottom) // 2, (left + right) // 2] >= 3.0
    column, row = (round(value * 1.2) for value in TREE)
    assert ground.material[row, column] == Material.TREE
    assert 2.0 < ground.height_m[row, column] < 16.0
    street = ground.height_m[140:160]
    assert (street == 0).mean() > 0.9
    assert np.array_equal(ground.top, photo.colours)


def test_the_same_photo_and_draw_give_the_same_ground(photo):
    one, two = (aerial_ground(photo, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.height_m, two.height_m)
    assert np.array_equal(one.side, two.side)


def test_beyond_its_edges_the_ground_is_mirrored(photo):
    ground = aerial_ground(photo, np.random.default_rng(0))
    wide = mirrored(ground, 40)
    assert (wide.window.left, wide.window.top) == (-40, -40)
    assert np.array_equal(wide.height_m[40:-40, 40:-40], ground.height_m)
    assert np.array_equal(wide.top[:, :40], wide.top[:, 40:80][:, ::-1])
    assert mirror(np.arange(4).reshape(2, 2), 1).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bands": 3}, "has 3 bands of uint8"),
        ({"dtype": "uint16"}, "4 bands of uint16"),
        ({"crs": "EPSG:4326", "pixel": 0.6}, "not in a map projection"),
        ({"pixel": 10.0}, "pixels of 10 x 10 units"),
    ],
)
def test_what_is_no_aerial_photo_is_refused_with_what_it_is(tmp_path, change, said):
    path = write_photo(tmp_path / "images" / "x.tif", **change)
    with pytest.raises(BadDataset, match=said):
        read_aerial(path)


def test_an_unreadable_photo_and_a_bad_table_are_refused(tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"II*\0 and nothing")
    with pytest.raises(BadDataset, match=r"broken\.tif cannot be read"):
        read_aerial(tmp_path / "broken.tif")
    path = write_photo(tmp_path / "images" / "x.tif")
    table = tmp_path / "trees.csv"
    table.write_text("x,y\n12,north\n")
    with pytest.raises(BadDataset, match=r"trees.csv is no table of trees"):
        read_aerial(path, table)

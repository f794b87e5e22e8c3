"""Values become colours: bands as they are named, no data as it is said, deep values on one scale."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from indexer.common.errors import BadSource
from indexer.tiles.sources.colours import Colours, Sample, colours_of, common_range, read_window, sample_of
from indexer.tiles.sources.georeference import Window
from tests.inputs.rasters import write

PLACE = {"crs": "EPSG:32632", "transform": Affine(10.0, 0.0, 465_000.0, 0.0, -10.0, 5_247_000.0)}
SIDE = 16


def plain(*values, dtype="uint8"):
    """[bands, 16, 16], each band of one value."""
    return np.stack([np.full((SIDE, SIDE), value, dtype) for value in values])


def look(path, bands=None, nodata=None):
    """(colours, uint8 [3, 16, 16], bool [16, 16]) of a file."""
    with rasterio.open(path) as data:
        colours = colours_of(data, bands, nodata, path.name)
        return colours, *read_window(data, colours, Window(0, 0, SIDE, SIDE), (SIDE, SIDE))


def test_three_bands_are_red_green_and_blue_and_one_is_grey(tmp_path):
    _, pixels, valid = look(write(tmp_path / "a.tif", plain(10, 20, 30), **PLACE))
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    assert valid.all()
    colours, pixels, _ = look(write(tmp_path / "b.tif", plain(77), **PLACE))
    assert (colours.bands, pixels[:, 0, 0].tolist()) == ((1, 1, 1), [77, 77, 77])


def test_bands_are_taken_by_the_names_of_their_colours_unless_others_are_asked_for(tmp_path):
    kinds = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    path = write(tmp_path / "a.tif", plain(30, 20, 10, 99), colorinterp=kinds, **PLACE)
    assert look(path)[1][:, 0, 0].tolist() == [10, 20, 30]
    assert look(path, (4, 3, 2))[1][:, 0, 0].tolist() == [99, 10, 20]


@pytest.mark.parametrize("bands", [(1, 2, 9), (0,), ()])
def test_bands_that_are_not_there_are_refused(tmp_path, bands):
    with pytest.raises(BadSource, match=r"a.tif; it has bands 1 to 3"):
        look(write(tmp_path / "a.tif", plain(1, 2, 3), **PLACE), bands)


def test_a_last_band_asked_for_says_where_there_is_no_data(tmp_path):
    values = plain(10, 20, 30, 1)
    values[3, :4] = 0
    _, _, valid = look(write(tmp_path / "a.tif", values, **PLACE), (1, 2, 3, 4))
    assert valid.sum() == SIDE * (SIDE - 4)
    assert not valid[:4].any()


def test_no_data_is_where_all_bands_have_the_value_and_the_one_given_wins(tmp_path):
    values = plain(10, 20, 30)
    values[:, 0], values[0, 1] = 0, 0
    path = write(tmp_path / "a.tif", values, nodata=0, **PLACE)
    colours, _, valid = look(path)
    assert colours.tells_nodata
    assert (valid[0].any(), valid[1].all()) == (False, True)
    assert look(path, nodata=7)[2].all()
    with pytest.raises(BadSource, match=r"nodata is -1, which no value of a.tif can be: they are uint8"):
        look(path, nodata=-1)


def test_a_palette_gives_colours(tmp_path):
    colormap = {0: (0, 0, 0, 255), 1: (200, 100, 50, 255)}
    colours, pixels, valid = look(write(tmp_path / "a.tif", plain(1), colormap=colormap, **PLACE))
    assert not colours.deep
    assert pixels[:, 5, 5].tolist() == [200, 100, 50]
    assert valid.all()


def test_what_is_transparent_in_a_palette_or_beyond_it_is_no_data(tmp_path):
    values = plain(1)
    values[0, 0], values[0, 1] = 0, 2
    palette = np.array([(0, 0, 0, 0), (200, 100, 50, 255)], np.uint8)
    with rasterio.open(write(tmp_path / "a.tif", values, **PLACE)) as data:
        _, valid = read_window(data, Colours((1, 1, 1), palette=palette), Window(0, 0, SIDE, SIDE), (SIDE, SIDE))
    assert (valid[:2].any(), valid[2:].all()) == (False, True)


def test_complex_numbers_are_no_colours(tmp_path):
    with pytest.raises(BadSource, match="complex numbers"):
        look(write(tmp_path / "a.tif", plain(1, dtype="complex64"), **PLACE))


def test_a_sample_leaves_out_what_is_no_data(tmp_path):
    values = plain(10, 20, 30)
    values[:, :4] = 0
    path = write(tmp_path / "a.tif", values, nodata=0, **PLACE)
    with rasterio.open(path) as data:
        sample = sample_of(data, colours_of(data, None, None, "a.tif"), files=1)
    assert sample.values.shape == (3, SIDE * (SIDE - 4))
    assert np.unique(sample.values).tolist() == [10, 20, 30]


def sampled(low, high, share=1.0):
    return Sample(np.linspace(low, high, 3_000).reshape(3, -1), None, share)


def test_deep_values_have_one_range_over_all_files():
    low, high = common_range([sampled(0, 1_000), sampled(1_000, 2_000)])
    assert (low, high) == pytest.approx((40.0, 1_960.0), abs=5.0)
    assert common_range([]) == (0.0, 1.0)
    low, high = common_range([Sample(np.full((3, 9), 7.0), None, 1.0)])
    assert low == 7.0 < high


def test_a_file_of_which_each_pixel_stands_for_more_counts_for_more():
    even, _ = common_range([sampled(0, 100), sampled(1_000, 1_100)])
    weighed, _ = common_range([sampled(0, 100, share=1.0), sampled(1_000, 1_100, share=100.0)])
    assert even < 100
    assert weighed >= 1_000  # the small file is a hundredth of the ground, less than the two that are drawn black

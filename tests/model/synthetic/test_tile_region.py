import mercantile
import numpy as np
import pytest

from model.common.errors import BadConfig
from model.common.geo import LatLon
from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.inputs.panorama_tags import sphere_xmp
from model.inputs.photo_metadata import read_photo_metadata
from model.synthetic.pair_set import jpeg_bytes
from model.synthetic.plane import ORIGIN, tile_bounds
from model.synthetic.tile_region import Region, render_region


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("region") / "r"
    render_region(Region(seed=7, centre=ORIGIN, side=3, panoramas=2), out, workers=1, progress=lambda _: None)
    return out


def test_it_is_an_ordinary_xyz_folder_around_its_centre(folder):
    tiles = sorted(path.relative_to(folder).parts for path in folder.glob("tiles/*/*/*.jpg"))
    middle = mercantile.tile(ORIGIN.lon, ORIGIN.lat, 18)
    expected = [(middle.x + dx, middle.y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    assert [(int(x), int(y.removesuffix(".jpg"))) for _, z, x, y in tiles] == sorted(expected)
    assert decode_image(next(folder.glob("tiles/*/*/*.jpg"))).size == (256, 256)


def test_panoramas_are_full_turns_taken_in_the_middle_half_of_their_tiles(folder):
    pairs = read_manifest(folder / "pairs.csv")
    assert len(pairs.references) == 9
    assert 1 <= len(pairs.queries) <= 2
    for query, positive in zip(pairs.queries, pairs.positives, strict=True):
        assert decode_image(query.path).size == (1024, 512)
        z, x, y = (int(part.removesuffix(".jpg")) for part in pairs.references[positive].path.parts[-3:])
        bounds = tile_bounds(z, x, y)
        across = (query.location.lon - bounds.west) / (bounds.east - bounds.west)
        along = (query.location.lat - bounds.south) / (bounds.north - bounds.south)
        assert 0.25 <= across <= 0.75
        assert 0.25 <= along <= 0.75


def test_panoramas_for_calibration_are_set_aside_and_their_tiles_stay_in_the_gallery(tmp_path):
    region = Region(seed=7, centre=ORIGIN, side=4, panoramas=2, calibration=3)
    assert render_region(region, tmp_path / "r", workers=1, progress=lambda _: None) == 5
    shown, aside = (read_manifest(tmp_path / "r" / name) for name in ("pairs.csv", "calibration.csv"))
    assert len(shown.queries) == 2
    assert len(shown.references) == 16
    assert len(aside.queries) == 3
    assert not {query.path for query in shown.queries} & {query.path for query in aside.queries}


def test_panoramas_say_that_they_are_whole_and_look_north(folder):
    for query in read_manifest(folder / "pairs.csv").queries:
        photo = read_photo_metadata(query.path)
        assert (photo.heading_deg, photo.fov_deg, photo.vertical_deg) == (0.0, 360.0, 180.0)
        assert photo.doubts == ()


def test_what_a_panorama_says_leaves_its_pixels_as_they_were():
    pixels = np.random.default_rng(0).integers(0, 255, (64, 128, 3), np.uint8)
    plain, said = jpeg_bytes(pixels), jpeg_bytes(pixels, xmp=sphere_xmp(0.0, 128, 64))
    assert len(said) > len(plain)
    assert np.array_equal(np.asarray(decode_image(plain)), np.asarray(decode_image(said)))


@pytest.mark.parametrize(
    "change",
    [
        {"calibration": -1},
        {"side": 0},
        {"side": 1000},
        {"panoramas": -1},
        {"seed": -1},
        {"centre": LatLon(90.0, 0.0)},
        {"centre": LatLon(0.0, 180.0), "side": 8},
        {"centre": LatLon(0.0, -180.0)},
        {"centre": LatLon(47.0, 8.5)},
    ],
)
def test_impossible_regions_are_refused(change):
    with pytest.raises(BadConfig):
        Region(**{"seed": 1, "centre": ORIGIN, "side": 2, "panoramas": 0, **change})

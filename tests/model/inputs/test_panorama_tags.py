"""GPano properties: a heading of the picture's own centre, the part of the sphere, and a doubt for each lie."""

import pytest

from model.inputs.panorama_tags import GPANO, read_panorama_tags, sphere_xmp
from model.inputs.xmp import xmp_properties


def tags(**properties):
    return {name: str(value) for name, value in properties.items()}


def crop(full=(4000, 2000), size=(2000, 1000), corner=(1000, 500), **more):
    return tags(
        FullPanoWidthPixels=full[0],
        FullPanoHeightPixels=full[1],
        CroppedAreaImageWidthPixels=size[0],
        CroppedAreaImageHeightPixels=size[1],
        CroppedAreaLeftPixels=corner[0],
        CroppedAreaTopPixels=corner[1],
        **more,
    )


def test_a_whole_sphere():
    found = read_panorama_tags(crop(size=(4000, 2000), corner=(0, 0), PoseHeadingDegrees=90), 4000, 2000)
    assert (found.heading_deg, found.fov_deg, found.vertical_deg, found.centre_deg) == (90.0, 360.0, 180.0, 0.0)
    assert found.heading_doubts == found.shape_doubts == ()


def test_a_crop_lies_where_its_corner_is():
    found = read_panorama_tags(crop(corner=(2000, 0), PoseHeadingDegrees=300), 1000, 500)  # and was scaled down
    assert (found.fov_deg, found.vertical_deg) == (180.0, 90.0)
    assert found.centre_deg == 45.0  # its rows are those of the upper half
    assert found.offset_deg == 90.0
    assert found.heading_deg == 30.0  # the pose is the whole panorama's


def test_a_crop_below_the_horizon():
    assert read_panorama_tags(crop(corner=(1000, 900)), 2000, 1000).centre_deg == pytest.approx(-36.0)


def test_a_crop_without_a_corner_lies_in_the_middle():
    properties = crop()
    del properties["CroppedAreaLeftPixels"], properties["CroppedAreaTopPixels"]
    found = read_panorama_tags(properties, 2000, 1000)
    assert (found.centre_deg, found.offset_deg, found.fov_deg) == (0.0, 0.0, 180.0)


def test_the_initial_view_is_not_the_pose():
    assert read_panorama_tags(tags(InitialViewHeadingDegrees=90), 4000, 2000) is None
    found = read_panorama_tags(tags(ProjectionType="equirectangular", InitialViewHeadingDegrees=90), 4000, 2000)
    assert (found.heading_deg, found.fov_deg) == (None, 360.0)


def test_a_panorama_of_another_shape_does_not_say_how_wide_it_is():
    found = read_panorama_tags(tags(ProjectionType="Equirectangular", PoseHeadingDegrees=10), 4000, 1000)
    assert (found.heading_deg, found.fov_deg, found.shape_doubts) == (10.0, None, ())


def test_the_lean():
    found = read_panorama_tags(tags(PosePitchDegrees="-3.5", PoseRollDegrees="4"), 4000, 2000)
    assert (found.pitch_deg, found.roll_deg) == (-3.5, 4.0)


@pytest.mark.parametrize(
    ("value", "heading"),
    [("0", 0.0), ("360", 0.0), ("-0", 0.0), ("-0.0", 0.0), ("-90", 270.0), ("9e1", 90.0), ("+5.", 5.0)],
)
def test_headings_that_can_be(value, heading):
    found = read_panorama_tags(tags(PoseHeadingDegrees=value), 4000, 2000)
    assert (str(found.heading_deg), found.heading_doubts) == (str(heading), ())


@pytest.mark.parametrize(
    "value", ["361", "-361", "4294967206", "NaN", "inf", "1e999", "", "north", "9_0", "٩٠", "0x10", "9" * 99]
)
def test_headings_that_cannot_be_are_left_out_with_a_doubt(value):
    found = read_panorama_tags(tags(PoseHeadingDegrees=value), 4000, 2000)
    assert found.heading_deg is None
    (doubt,) = found.heading_doubts
    assert "PoseHeadingDegrees" in doubt
    assert "not used" in doubt
    assert found.fov_deg == 360.0


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (crop(size=(4100, 2050), corner=(0, 0)), "out of which it reaches"),
        (crop(corner=(3000, 0)), "out of which it reaches"),
        (crop(corner=(-10, 0)), "out of which it reaches"),
        (crop(full=(4000, 1000), corner=(0, 0)), "not 2:1"),
        (crop(full=(0, 0)), "cannot be"),
        (crop(size=(-2000, -1000)), "cannot be"),
        (crop(full=(4e9, 2e9)), "cannot be"),
        (crop(full=("NaN", 2000)), "no number"),
        (crop(size=(2000, 500)), "another shape"),
        (tags(FullPanoWidthPixels=4000), "only one of"),
        (tags(FullPanoWidthPixels=4000, FullPanoHeightPixels=2000), "not both"),
        (tags(ProjectionType="cylindrical"), "'cylindrical'"),
        (tags(ProjectionType="<script>\n\x1b[31m" + "x" * 200), "script"),
        (tags(PosePitchDegrees=91), "PosePitchDegrees 91"),
    ],
)
def test_angles_that_cannot_be_are_left_out_with_a_doubt(properties, words):
    found = read_panorama_tags({**properties, "PoseHeadingDegrees": "90"}, 2000, 1000)
    (doubt,) = found.shape_doubts
    assert words in doubt
    assert doubt.isprintable()
    assert len(doubt) < 300
    assert (found.heading_deg is None) == ("CroppedAreaImageWidthPixels" in properties)  # of an unknown part
    assert len(found.heading_doubts) == (found.heading_deg is None)


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_a_part_that_is_turned_or_mirrored_may_lie_on_either_side(orientation):
    found = read_panorama_tags(crop(corner=(0, 500), PoseHeadingDegrees=90), 2000, 1000, orientation=orientation)
    assert (found.heading_deg, found.fov_deg) == (None, None)
    assert f"orientation ({orientation})" in found.shape_doubts[0]
    centred = read_panorama_tags(crop(PoseHeadingDegrees=90), 2000, 1000, orientation=orientation)
    assert (centred.heading_deg, centred.fov_deg, centred.shape_doubts) == (90.0, 180.0, ())


def test_the_lean_of_a_mirrored_panorama_may_be_to_either_side():
    found = read_panorama_tags(tags(PoseRollDegrees=5, PoseHeadingDegrees=90), 4000, 2000, orientation=2)
    assert (found.heading_deg, found.roll_deg) == (90.0, 0.0)
    assert "orientation (2)" in found.shape_doubts[0]


@pytest.mark.parametrize(("height_px", "vertical_deg"), [(128, 180.0), (64, 90.0), (86, 120.9375)])
def test_what_is_written_is_read_again(height_px, vertical_deg):
    properties = xmp_properties(sphere_xmp(33.0, 256, height_px), GPANO)
    tags = read_panorama_tags(properties, 256, height_px)
    assert (tags.heading_deg, tags.fov_deg, tags.centre_deg) == (33.0, 360.0, 0.0)
    assert tags.vertical_deg == pytest.approx(vertical_deg)
    assert not tags.shape_doubts

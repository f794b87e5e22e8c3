"""Given beats photo beats assumed; a heading is never assumed; contradictions and guesses are warnings."""

import math

import pytest

from model.common.errors import BadConfig
from model.inputs.photo_metadata import PhotoMetadata
from model.inputs.photo_view import GivenView, resolve_view

NOTHING = PhotoMetadata()
SPHERE = PhotoMetadata(90.0, 360.0, 180.0, 0.0, projection="equirectangular", panorama=True)
CROP = PhotoMetadata(90.0, 180.0, 60.0, 12.0, 5.0, 1.0, 2.0, "equirectangular", True)
LENS = PhotoMetadata(30.0, 67.3, 53.06, projection="rectilinear")


def resolved(given=None, photo=NOTHING, size=(400, 200)):
    return resolve_view(given or GivenView(), photo, *size)


def test_with_nothing_known_a_heading_is_unknown_and_not_north():
    view = resolved()
    assert (view.heading_deg, view.heading_source) == (None, "unknown")
    assert (view.fov_deg, view.fov_source, view.vertical_deg) == (360.0, "assumed", 180.0)
    assert (view.projection, view.warnings) == ("equirectangular", ())


def test_what_the_photo_says_fills_what_is_not_given():
    view = resolved(photo=CROP, size=(300, 100))
    assert (view.heading_deg, view.fov_deg, view.vertical_deg, view.centre_deg) == (90.0, 180.0, 60.0, 12.0)
    assert {view.heading_source, view.fov_source, view.vertical_source, view.centre_source} == {"photo"}
    assert (view.offset_deg, view.pitch_deg, view.roll_deg) == (5.0, 1.0, 2.0)
    assert view.warnings == ()


def test_what_is_given_wins_and_a_contradiction_is_a_warning():
    given = GivenView(heading_deg=-90.0, fov_deg=360.0, vertical_deg=120.0, centre_deg=-20.0)
    view = resolved(given, CROP, (300, 100))
    assert (view.heading_deg, view.fov_deg, view.vertical_deg, view.centre_deg) == (270.0, 360.0, 120.0, -20.0)
    assert {view.heading_source, view.fov_source, view.vertical_source, view.centre_source} == {"given"}
    assert len(view.warnings) == 2
    assert "270" in view.warnings[0]
    assert "90" in view.warnings[0]
    assert "360" in view.warnings[1]
    assert "180" in view.warnings[1]


@pytest.mark.parametrize(("given_deg", "photo_deg", "warned"), [(5.0, 355.0, 0), (6.0, 355.0, 1), (0.0, 180.0, 1)])
def test_headings_are_compared_around_the_circle(given_deg, photo_deg, warned):
    view = resolved(GivenView(heading_deg=given_deg), PhotoMetadata(photo_deg))
    assert len(view.warnings) == warned
    assert view.heading_deg == given_deg


def test_a_heading_may_be_given_as_unknown():
    view = resolved(GivenView(heading_deg="unknown"), SPHERE)
    assert (view.heading_deg, view.heading_source, view.warnings) == (None, "unknown", ())


def test_where_the_given_angle_agrees_the_photos_other_angles_hold():
    view = resolved(GivenView(fov_deg=175.0), CROP, (300, 100))
    assert (view.fov_deg, view.vertical_deg, view.centre_deg, view.warnings) == (175.0, 60.0, 12.0, ())
    view = resolved(GivenView(fov_deg=90.0), CROP, (300, 100))
    assert (view.vertical_deg, view.vertical_source, view.centre_deg, view.offset_deg) == (30.0, "assumed", 0.0, 0.0)
    assert view.projection == "equirectangular"


def test_a_lens_makes_a_flat_picture():
    view = resolved(photo=LENS, size=(400, 300))
    assert (view.heading_deg, view.fov_deg, view.vertical_deg, view.projection) == (30.0, 67.3, 53.06, "rectilinear")


@pytest.mark.parametrize(
    ("fov_deg", "size", "projection", "vertical_deg"),
    [
        (90.0, (400, 300), "rectilinear", 73.74),
        (60.0, (300, 400), "rectilinear", 75.18),
        (150.0, (400, 300), "equirectangular", 112.5),
        (90.0, (800, 200), "equirectangular", 22.5),
        (360.0, (400, 200), "equirectangular", 180.0),
    ],
)
def test_a_given_angle_means_a_flat_picture_where_it_can_be_one(fov_deg, size, projection, vertical_deg):
    view = resolved(GivenView(fov_deg=fov_deg), size=size)
    assert view.projection == projection
    assert view.vertical_deg == pytest.approx(vertical_deg, abs=0.01)


def test_a_projection_may_be_given():
    assert resolved(GivenView(fov_deg=90.0, projection="equirectangular"), size=(400, 300)).vertical_deg == 67.5


@pytest.mark.parametrize(
    ("size", "photo", "fov_deg", "projection", "words"),
    [
        ((400, 300), NOTHING, 67.3, "rectilinear", "fov_deg 67.3 is assumed"),
        ((300, 400), NOTHING, 53.06, "rectilinear", "fov_deg 53.1 is assumed"),
        ((230, 100), NOTHING, 69.39, "rectilinear", "phone's main camera"),
        ((800, 200), NOTHING, 360.0, "equirectangular", "as of a whole panorama"),
        ((250, 100), PhotoMetadata(panorama=True), 360.0, "equirectangular", "as of a whole panorama"),
        ((100, 100), PhotoMetadata(panorama=True), 180.0, "equirectangular", "as of a whole panorama"),
    ],
)
def test_a_guessed_angle_is_a_warning_that_says_what_was_guessed(size, photo, fov_deg, projection, words):
    view = resolved(photo=photo, size=size)
    assert view.fov_deg == pytest.approx(fov_deg, abs=0.05)
    assert (view.fov_source, view.projection) == ("assumed", projection)
    (warning,) = view.warnings
    assert words in warning
    assert "give fov_deg" in warning


def test_shapes_that_cannot_be_are_warned_of_as_before():
    (warning,) = resolved(GivenView(fov_deg=360.0), size=(400, 300)).warnings
    assert "too high for a panorama" in warning
    (warning,) = resolved(GivenView(fov_deg=90.0), size=(4096, 512)).warnings
    assert "11.2 degrees high" in warning


def test_doubts_count_only_where_nothing_is_given_instead():
    photo = PhotoMetadata(heading_doubts=("a heading",), view_doubts=("an angle",))
    assert resolved(photo=photo).warnings == ("a heading", "an angle")
    assert resolved(GivenView(heading_deg=3.0), photo).warnings == ("an angle",)
    assert resolved(GivenView(heading_deg=3.0, fov_deg=360.0), photo).warnings == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"heading_deg": 361.0},
        {"heading_deg": 4294967206.0},
        {"heading_deg": math.nan},
        {"fov_deg": 0.0},
        {"fov_deg": 361.0},
        {"fov_deg": math.nan},
        {"vertical_deg": 181.0},
        {"centre_deg": -91.0},
        {"fov_deg": 180.0, "projection": "rectilinear"},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        GivenView(**wrong)


def test_a_whole_sphere_is_no_flat_picture():
    with pytest.raises(BadConfig, match="flat"):
        resolved(GivenView(projection="rectilinear"), SPHERE)


@pytest.mark.parametrize(("heading_deg", "expected"), [(360.0, 0.0), (-0.0, 0.0), (-360.0, 0.0), (-90.0, 270.0)])
def test_headings_come_out_as_one_turn(heading_deg, expected):
    assert str(resolved(GivenView(heading_deg=heading_deg)).heading_deg) == str(expected)

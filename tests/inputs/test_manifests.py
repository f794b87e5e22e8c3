"""Evaluation manifests: one place a picture, and directions that are directions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadConfig, BadDataset
from model.common.geo import LatLon
from model.data.manifest import read_manifest
from model.inputs.transforms import InputSpec, lay_panorama
from tests.model.tiny import write_pairs


def manifest(folder: Path, text: str) -> Path:
    write_pairs(folder, count=2, distractors=0)
    path = folder / "mine.csv"
    path.write_text(text)
    return path


HEAD = "query,reference,reference_lat,reference_lon\n"


@pytest.mark.parametrize("spelling", ["tile0.png", "./tile0.png", "x/../tile0.png"])
def test_a_tile_in_two_places_is_refused_with_its_row(tmp_path: Path, spelling: str) -> None:
    path = manifest(tmp_path, HEAD + f"pano0.png,tile0.png,47.1,8.5\npano1.png,{spelling},48.2,9.9\n")
    with pytest.raises(BadDataset, match=r"row 3: .*tile0\.png lies at 48\.2, 9\.9, but at 47\.1, 8\.5 before"):
        read_manifest(path)


@pytest.mark.parametrize("through", ["file", "folder"])
def test_a_link_to_a_tile_is_the_tile(tmp_path: Path, through: str) -> None:
    path = manifest(tmp_path, HEAD + "pano0.png,tile0.png,47.1,8.5\npano1.png,NAME,48.2,9.9\n")
    if through == "file":
        (tmp_path / "again.png").symlink_to("tile0.png")
    else:
        (tmp_path / "again").symlink_to(".")
    name = "again.png" if through == "file" else "again/tile0.png"
    text = path.read_text()
    path.write_text(text.replace("NAME", name))
    with pytest.raises(BadDataset, match=r"row 3: again.* lies at 48\.2, 9\.9, but at 47\.1, 8\.5 before"):
        read_manifest(path)
    path.write_text(text.replace("NAME,48.2,9.9", f"{name},,"))
    assert read_manifest(path).positives.tolist() == [0, 0]


def test_a_photo_in_two_places_is_refused_with_its_row(tmp_path: Path) -> None:
    rows = "pano0.png,tile0.png,47.1,8.5\n./pano0.png,tile1.png,47.2,8.5\n"
    path = manifest(tmp_path, "query,reference,lat,lon\n" + rows)
    with pytest.raises(BadDataset, match=r"row 3: pano0\.png was taken at 47\.2, 8\.5, but at 47\.1, 8\.5 before"):
        read_manifest(path)


def test_two_spellings_of_a_tile_are_one_and_its_place_may_stand_in_either_row(tmp_path: Path) -> None:
    pairs = read_manifest(manifest(tmp_path, HEAD + "pano0.png,tile0.png,,\npano1.png,./tile0.png,47.1,8.5\n"))
    assert [(tile.path.name, tile.location) for tile in pairs.references] == [("tile0.png", LatLon(47.1, 8.5))]
    assert pairs.positives.tolist() == [0, 0]


def test_a_place_rounded_in_two_ways_is_one(tmp_path: Path) -> None:
    rows = "pano0.png,tile0.png,47.1,8.5\npano1.png,tile0.png,47.100004,8.5\n"  # 0.4 m
    assert read_manifest(manifest(tmp_path, HEAD + rows)).references[0].location == LatLon(47.1, 8.5)


def test_semi_positives_may_be_spelled_otherwise(tmp_path: Path) -> None:
    rows = "pano0.png,tile0.png,./tile1.png\npano1.png,tile1.png,\n"
    assert read_manifest(manifest(tmp_path, "query,reference,semi_positives\n" + rows)).semi_positives == ((1,), ())


@pytest.mark.parametrize("value", ["4294967206", "372", "-361", "1e300", "inf", "nan1"])
def test_a_heading_beyond_the_circle_is_refused_everywhere(tmp_path: Path, value: str) -> None:
    path = manifest(tmp_path, f"query,reference,heading_deg\npano0.png,tile0.png,{value}\n")
    with pytest.raises(BadDataset, match=r"row 2: (the heading|heading_deg) is"):
        read_manifest(path)
    if value != "nan1":
        photo, spec = Image.new("RGB", (64, 32)), InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64)
        with pytest.raises(BadConfig, match="heading_deg is"):
            lay_panorama(photo, spec, heading_deg=float(value))


@pytest.mark.parametrize(
    ("value", "expected"), [("-180", 180.0), ("-1", 359.0), ("359.99", 359.99), ("360", 0.0), ("-360", 0.0)]
)
def test_a_heading_within_the_circle_is_taken_either_way_round(tmp_path: Path, value: str, expected: float) -> None:
    path = manifest(tmp_path, f"query,reference,heading_deg\npano0.png,tile0.png,{value}\n")
    assert read_manifest(path).queries[0].heading_deg == pytest.approx(expected)
    photo = Image.fromarray(np.arange(64 * 32 * 3, dtype=np.uint8).reshape(32, 64, 3))
    spec = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64)
    turned = lay_panorama(photo, spec, heading_deg=float(value))
    assert (turned == lay_panorama(photo, spec, heading_deg=expected)).all()

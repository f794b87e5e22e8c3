from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.pairs.pictures import VERTICAL_DEG, draw_strip
from indexer.pairs.screening import UsablePhoto
from model.common.errors import BadImage
from model.common.geo import LatLon
from model.inputs.photo_view import ResolvedView
from model.inputs.transforms import NEUTRAL

PLACE = LatLon(47.0, 8.0)


def usable(path: Path, view: ResolvedView) -> UsablePhoto:
    return UsablePhoto(path, path.name, PLACE, view)


def test_a_panorama_becomes_its_middle_and_keeps_its_own_centre(tmp_path: Path) -> None:
    pixels = np.zeros((128, 256, 3), np.uint8)
    pixels[:, 120:136] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    strip = draw_strip(usable(tmp_path / "a.png", ResolvedView(90.0, 360.0, 180.0)), 256)
    assert strip.fov_deg == 360.0
    assert strip.pixels.shape == (256 * VERTICAL_DEG / 360.0, 256, 3)
    assert strip.pixels[:, :, 0].mean(axis=0).argmax() in range(120, 136)


def test_a_flat_photo_is_laid_by_its_angles_and_no_wider(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)).save(tmp_path / "a.png")
    view = ResolvedView(90.0, 60.0, 46.8, projection="rectilinear")
    strip = draw_strip(usable(tmp_path / "a.png", view), 720)
    assert strip.fov_deg == pytest.approx(60.0, abs=2.0)
    shown = (strip.pixels != NEUTRAL).any(axis=2)
    assert shown[90].mean() > 0.95, "the horizon is shown from side to side"
    assert not shown[:30].any(), "the sky above the photo is not"


def test_a_picture_of_one_colour_or_none_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "black.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    for name, reason in (("black.png", "shows next to nothing"), ("broken.jpg", "broken.jpg")):
        with pytest.raises(BadImage, match=reason):
            draw_strip(usable(tmp_path / name, ResolvedView(0.0, 360.0, 180.0)), 256)

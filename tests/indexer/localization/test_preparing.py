import io

import numpy as np
import pytest
from PIL import Image

from indexer.localization.preparing import prepare_photo
from model.common.errors import BadConfig, BadImage
from model.inputs.photo_view import GivenView
from model.inputs.transforms import InputSpec

INPUTS = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=64, ground_vertical_deg=180.0)
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8))


def test_bytes_a_file_and_a_picture_give_one_canvas(tmp_path):
    path = tmp_path / "photo.png"
    PHOTO.save(path)
    prepared = [prepare_photo(one, INPUTS, GivenView(heading_deg=0.0)) for one in (PHOTO, path, path.read_bytes())]
    assert all(np.array_equal(one.canvas, np.asarray(PHOTO)) for one in prepared)
    assert {one.view.heading_source for one in prepared} == {"given"}


def test_a_heading_turns_the_canvas():
    north = prepare_photo(PHOTO, INPUTS, GivenView(heading_deg=0.0)).canvas
    east = prepare_photo(PHOTO, INPUTS, GivenView(heading_deg=90.0)).canvas
    assert np.array_equal(east, np.roll(north, 16, axis=1))


def test_what_cannot_be_used_is_refused():
    buffer = io.BytesIO()
    PHOTO.save(buffer, "PNG")
    with pytest.raises(BadImage, match="the limit is 100"):
        prepare_photo(buffer.getvalue(), INPUTS, max_pixels=100)
    with pytest.raises(BadImage):
        prepare_photo(b"no picture", INPUTS)
    with pytest.raises(BadConfig, match="fov_deg"):
        prepare_photo(PHOTO, INPUTS, GivenView(fov_deg=400.0))

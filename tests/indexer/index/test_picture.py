import io

import numpy as np
import pytest
from PIL import Image

from indexer.index.picture import as_tile_image
from model.common.errors import BadImage
from tests.indexer.tiny import encoded, picture


@pytest.mark.parametrize(("form", "media_type"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_encoded_pictures_pass_as_they_are(form: str, media_type: str) -> None:
    image = as_tile_image(encoded(1, form=form))
    assert (image.data, image.media_type) == (encoded(1, form=form), f"image/{media_type}")


def test_pixels_become_png() -> None:
    image = as_tile_image(picture(1))
    assert image.media_type == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.data))), np.asarray(picture(1)))


def test_other_bytes_are_refused() -> None:
    with pytest.raises(BadImage, match="not a JPEG, PNG or WebP"):
        as_tile_image(b"<svg/>")

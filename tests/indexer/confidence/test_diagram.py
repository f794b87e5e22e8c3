import io
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.confidence.diagram import draw_reliability
from indexer.confidence.fitting import fit
from indexer.index.tile_index import TileIndex
from tests.indexer.confidence.test_storage import ask
from tests.indexer.photos import write_photos
from tests.indexer.tiny import build_tiny


def test_the_diagram_is_a_picture_that_the_same_photos_draw_again(tmp_path: Path) -> None:
    index: TileIndex = build_tiny(tmp_path, columns=8)
    fitted = fit(ask(index, write_photos(tmp_path / "photos", index, count=150)), index.manifest, radius_m=772.4)
    drawn = draw_reliability(fitted)
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, picture.size) == ("PNG", (550, 700))
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 20
    assert drawn == draw_reliability(fitted)

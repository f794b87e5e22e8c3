import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadDataset
from model.data.manifest import read_manifest
from model.data.sources import open_pairs
from model.synthetic.aerial_pairs import CAMERAS, ensure_aerial, find_places, render_aerial
from tests.model.synthetic.aerial_photos import write_photo


def silent(done, total):
    pass


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "images"
    write_photo(folder / "town_2016_1.tif")
    write_photo(folder / "town_2018_1.tif", seed=1)
    write_photo(folder / "town_2018_2.tif", left=500_000.0)
    return folder


def test_photos_of_one_place_are_told_by_their_names_without_the_year(photos, tmp_path):
    names = [[path.stem for path in place] for place in find_places(photos)]
    assert names == [["town_2016_1", "town_2018_1"], ["town_2018_2"]]
    listed = tmp_path / "train.txt"
    listed.write_text("town_2018_2\n")
    assert [[path.stem for path in place] for place in find_places(photos, listed)] == [["town_2018_2"]]


def test_pairs_are_north_aligned_and_their_tile_shows_the_camera_in_its_middle(photos, tmp_path):
    count = render_aerial(photos, tmp_path / "out", workers=1, progress=silent)
    assert count == 2 * CAMERAS
    pairs = read_manifest(tmp_path / "out" / "pairs.csv")
    assert len(pairs.queries) == count
    assert {query.heading_deg for query in pairs.queries} == {0.0}
    assert {reference.margin for reference in pairs.references} == {0.5}
    with Image.open(pairs.queries[0].path) as panorama, Image.open(pairs.references[0].path) as tile:
        assert panorama.size == (512, 128)
        assert tile.size == (256, 256)
    for rows, own in zip(pairs.semi_positives, pairs.positives, strict=True):  # of its own place, never of the other
        assert own not in rows
        assert all(row // CAMERAS == own // CAMERAS for row in rows)


def test_the_same_photos_give_the_same_bytes_whoever_draws(photos, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        render_aerial(photos, tmp_path / name, workers=workers, progress=silent)
    one, two = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


def test_a_source_is_drawn_once_and_joined_with_others(photos, tmp_path):
    cache = tmp_path / "cache"
    pairs = open_pairs(f"aerial:{photos} + aerial:{photos}", cache=cache, workers=1)
    assert pairs.name == "aerial:images + aerial:images"
    assert len(pairs.queries) == 4 * CAMERAS
    (folder,) = cache.iterdir()
    assert folder == ensure_aerial(photos, cache, workers=1, progress=silent)


def test_more_cameras_are_asked_for_in_the_name(photos, tmp_path):
    cache, listed = tmp_path / "cache", tmp_path / "town & country.txt"
    listed.write_text("town_2018_2\n")
    pairs = open_pairs(f"aerial:{photos}?list={listed}&cameras=3", cache=cache, workers=1)
    assert len(pairs.queries) == 3
    open_pairs(f"aerial:{photos}?list={listed}", cache=cache, workers=1)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    ("tail", "message"),
    [("cameras=0", "cameras is '0'; give 1 to 100"), ("cameras=x", "is 'x'"), ("lists=a", "'lists=a' is no option")],
)
def test_options_that_are_wrong_are_refused(photos, tmp_path, tail, message):
    with pytest.raises(BadDataset, match=message):
        open_pairs(f"aerial:{photos}?{tail}", cache=tmp_path)


def test_bad_folders_and_lists_are_refused_by_name(photos, tmp_path):
    with pytest.raises(BadDataset, match=r"holds no \.tif"):
        find_places(tmp_path)
    with pytest.raises(BadDataset, match="'nowhere', which is not there"):
        open_pairs("aerial:nowhere", cache=tmp_path)
    with pytest.raises(BadDataset, match="cannot be read as a list"):
        find_places(photos, tmp_path / "absent.txt")
    listed = tmp_path / "train.txt"
    listed.write_text("town_2018_2\nvillage_1\n")
    with pytest.raises(BadDataset, match="names village_1"):
        find_places(photos, listed)
    write_photo(photos / "town_2020_2.tif", left=600_000.0)
    with pytest.raises(BadDataset, match="named as one place and show two"):
        render_aerial(photos, tmp_path / "out", workers=1, progress=silent)
    assert not (tmp_path / "out").exists()


def test_a_photo_without_a_place_to_stand_gives_no_pair(tmp_path):
    folder = tmp_path / "images"
    write_photo(folder / "town_2018_1.tif")
    table = tmp_path / "csv" / "town_2018_1.csv"
    grid = np.stack(np.meshgrid(np.arange(0, 250, 4), np.arange(0, 250, 4)), axis=-1).reshape(-1, 2)
    table.write_text("x,y\n" + "\n".join(f"{x},{y}" for x, y in grid) + "\n")
    with pytest.raises(BadDataset, match="no place to stand"):
        render_aerial(folder, tmp_path / "out", workers=1, progress=silent)

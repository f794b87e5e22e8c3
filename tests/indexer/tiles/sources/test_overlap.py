"""A file that lies under another is named; neighbours that share an edge are not."""

from types import SimpleNamespace

from indexer.tiles.sources.overlap import hidden_files
from model.common.geo import Bounds


def files(*boxes):
    return [SimpleNamespace(name=f"{number}.tif", bounds=Bounds(*box)) for number, box in enumerate(boxes)]


def test_neighbours_of_a_mosaic_are_not_remarked_on():
    assert hidden_files(files((8, 47, 9, 48), (8.95, 47, 9.95, 48), (8, 47.9, 9, 48.9))) == []
    assert hidden_files(files((8, 47, 9, 48))) == []


def test_two_files_of_one_place_are():
    (note,) = hidden_files(files((8, 47, 9, 48), (20, 47, 21, 48), (8.1, 47, 9.1, 48)))
    assert note.startswith("0.tif lies over 90% of 2.tif:")
    (note,) = hidden_files(files((8, 47, 9, 48), (8, 47, 9, 48), (8.2, 47.2, 8.4, 47.4)))
    assert note.startswith("0.tif lies over 100% of 1.tif, and 1 more file likewise")


def test_over_the_antimeridian_too():
    (note,) = hidden_files(files((179.9, -17, -179.9, -16.9), (179.9, -17, -179.9, -16.9)))
    assert "100%" in note
    assert hidden_files(files((179.9, -17, -179.9, -16.9), (-179.9, -17, -179.7, -16.9))) == []

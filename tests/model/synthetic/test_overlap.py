from model.common.manifest_rows import ManifestRow
from model.synthetic.overlap import name_overlaps
from model.synthetic.plane import latlon_of


def pair(name, camera_m, tile_m):
    return ManifestRow.pair(f"{name}.pano", name, latlon_of(*camera_m), latlon_of(*tile_m))


def test_other_tiles_within_reach_along_both_axes_are_named():
    rows = [
        pair("own", (0.0, 0.0), (10.0, 10.0)),
        pair("beside", (70.0, 0.0), (49.0, -49.0)),
        pair("behind", (0.0, 200.0), (0.0, 60.0)),
    ]
    assert [row.semi_positives for row in name_overlaps(rows, 50.0)] == ["beside", "", ""]


def test_a_tile_without_a_camera_covers_others_and_is_left_as_it_is():
    alone = ManifestRow.tile("alone", latlon_of(20.0, 20.0))
    named, kept = name_overlaps([pair("own", (0.0, 0.0), (0.0, 0.0)), alone], 50.0)
    assert named.semi_positives == "alone"
    assert kept == alone

from indexer.pairs.overlaps import name_overlaps
from model.common.geo import LatLon, offset_m
from model.common.manifest_rows import ManifestRow


def test_tiles_are_named_that_are_centred_near_along_both_axes() -> None:
    origin = LatLon(60.0, 8.0)
    places = {"a": (0, 0), "beside": (49, 49), "far": (51, 0), "beyond": (0, 300)}
    rows = [
        ManifestRow.pair(f"{name}.jpg", name, at, at)
        for name, at in ((name, offset_m(origin, east_m=x, north_m=y)) for name, (x, y) in places.items())
    ]
    named = {row.reference: row.semi_positives for row in name_overlaps(rows, 50.0)}
    assert named == {"a": "beside", "beside": "a;far", "far": "beside", "beyond": ""}


def test_two_tiles_of_one_photo_show_it_both() -> None:
    place = LatLon(47.0, 8.0)
    rows = [ManifestRow.pair("a.jpg", name, place, place) for name in ("summer", "winter")]
    assert [row.semi_positives for row in name_overlaps(rows, 50.0)] == ["winter", "summer"]

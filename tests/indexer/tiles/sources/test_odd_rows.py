import numpy as np

from indexer.tiles.sources.odd_rows import doubts_of_odd_rows


def test_each_way_has_a_warning_of_its_own() -> None:
    lat = np.array([47.1, 47.2, 47.3, 47.4, 47.5, 8.5, 8.6, -47.3])
    lon = np.array([8.1, 8.2, 8.3, 8.4, 8.5, 47.1, 47.2, 8.3])
    exchanged, turned = doubts_of_odd_rows(lat, lon)
    assert exchanged.startswith("warning: 2 rows lie far from most others (row 6 the first, 5,")
    assert exchanged.endswith("with latitude and longitude exchanged they would lie among them")
    assert "row 8 the first" in turned
    assert turned.endswith("with the other sign of the latitude it would lie among them")


def test_where_most_do_not_lie_together_nothing_is_odd() -> None:
    apart = np.array([47.0, 8.5, -33.0, 60.0]), np.array([8.5, 47.0, -70.0, 100.0])
    assert doubts_of_odd_rows(*apart) == []
    assert doubts_of_odd_rows(np.array([0.0, 0.0]), np.array([0.0, 180.0])) == []
    assert doubts_of_odd_rows(np.zeros(0), np.zeros(0)) == []

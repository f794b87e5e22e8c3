"""Requests: how many, again after what may pass, parts of one version, and nothing twice that has not changed."""

import time
from pathlib import Path

import pytest

from indexer.common.errors import BadSource, BuildConflict, TileWithoutData
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.remote.fetcher import Fetcher
from tests.indexer.tiles.sources.remote.serving import Served


def fetcher(**options: object) -> Fetcher:
    return Fetcher(RemoteOptions(rate_limit=1000.0, **options), sleep=lambda _: None)  # type: ignore[arg-type]


def test_what_may_pass_is_tried_again_and_what_stays_is_said(served: Served, root: Path) -> None:
    (root / "a").write_bytes(b"tile")
    one = fetcher()
    served.failures += [503, 429, 500]
    assert one.get(f"{served.url}/a").data == b"tile"
    assert served.statuses() == [503, 429, 500, 200]
    served.failures += [503] * 4
    with pytest.raises(OSError, match="answered 503"):
        one.get(f"{served.url}/a")
    served.failures += [403]
    with pytest.raises(BadSource, match="does it need a key"):
        one.get(f"{served.url}/a")
    with pytest.raises(TileWithoutData):
        one.get(f"{served.url}/missing")
    one.close()


def test_a_server_that_is_not_there_is_an_error_of_the_tile() -> None:
    with pytest.raises(OSError, match="cannot be fetched"):
        fetcher().get("http://127.0.0.1:1/a")


def test_the_rate_is_kept(served: Served, root: Path) -> None:
    (root / "a").write_bytes(b"tile")
    one = Fetcher(RemoteOptions(rate_limit=20.0))
    began = time.monotonic()
    for _ in range(5):
        one.get(f"{served.url}/a")
    assert time.monotonic() - began >= 4 / 20
    one.close()


def test_the_cache_asks_whether_it_has_changed_and_not_even_that_while_it_is_fresh(
    served: Served, root: Path, tmp_path: Path
) -> None:
    (root / "a").write_bytes(b"tile")
    for expected in ([200], [200, 304]):
        one = fetcher(cache=tmp_path / "cache")
        assert one.get(f"{served.url}/a").data == b"tile"
        assert served.statuses() == expected
        one.close()
    served.headers["Cache-Control"] = "max-age=600"
    (root / "a").write_bytes(b"other")
    one = fetcher(cache=tmp_path / "cache")
    assert [one.get(f"{served.url}/a").data for _ in range(2)] == [b"other", b"other"]
    assert served.statuses() == [200, 304, 200]
    one.close()


def test_parts_are_of_one_version(served: Served, root: Path) -> None:
    (root / "a").write_bytes(bytes(range(100)))
    one = fetcher()
    first = one.get_part(f"{served.url}/a", 10, 5)
    assert (first.data, first.total) == (bytes(range(10, 15)), 100)
    assert one.get_part(f"{served.url}/a", 95, 50, etag=first.etag).data == bytes(range(95, 100))
    (root / "a").write_bytes(bytes(100))
    with pytest.raises(BuildConflict, match="changed while it was being read"):
        one.get_part(f"{served.url}/a", 10, 5, etag=first.etag)
    served.ranges = False
    with pytest.raises(BadSource, match="range requests, so download it first"):
        one.get_part(f"{served.url}/a", 10, 5)
    one.close()

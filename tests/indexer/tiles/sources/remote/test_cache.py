from pathlib import Path

from indexer.tiles.sources.remote.cache import Cache

WHAT = {"etag": '"1"', "modified": "", "fresh_s": 60.0}


def test_what_was_kept_is_found_with_what_its_server_said(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("http://a") is None
    cache.keep("http://a", b"tile", **WHAT)
    found = cache.find("http://a")
    assert found is not None
    assert (found[0], found[1].etag, found[1].is_fresh) == (b"tile", '"1"', True)
    cache.keep("http://a", b"tile", etag='"1"', modified="", fresh_s=0.0)
    again = cache.find("http://a")
    assert again is not None
    assert not again[1].is_fresh


def test_damage_is_as_if_nothing_was_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for name in ("content", "statement"):
        cache.keep("http://a", b"tile", **WHAT)
        for path in tmp_path.rglob("*"):
            if path.is_file() and (path.suffix == ".json") == (name == "statement"):
                path.write_bytes(b"damaged")
        assert cache.find("http://a") is None

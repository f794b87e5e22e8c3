"""Nothing is fetched by accident, or without saying whose it is."""

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.addresses import RemoteOptions, is_address
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions

ALLOWED = SourceOptions(remote=RemoteOptions(remote=True, attribution="tests"))


@pytest.mark.parametrize("address", ["https://t.example/{z}/{x}/{y}.png", "http://t.example/a.pmtiles"])
def test_an_address_is_fetched_only_where_that_is_allowed(address: str) -> None:
    with pytest.raises(BadSource, match="add --remote"):
        open_source(address)
    with pytest.raises(BadSource, match="say whose with --attribution"):
        open_source(address, SourceOptions(remote=RemoteOptions(remote=True)))
    described = {"zoom": 3, "attribution": "tests"}
    with pytest.raises(BadSource, match="add --remote"):  # a manifest does not allow it
        open_source(address, SourceOptions.from_json(described))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ftp://t.example/a.pmtiles", "no address of http, https or s3"),
        ("file:///etc/passwd", "no address of http, https or s3"),
        ("https://t.example/tiles", "of no known kind"),
        ("https://t.example/a.vrt", "of no known kind"),
    ],
)
def test_other_addresses_are_refused(address: str, reason: str) -> None:
    with pytest.raises(BadSource, match=reason):
        open_source(address, ALLOWED)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e6])
def test_a_rate_that_cannot_be_is_refused(rate: float) -> None:
    with pytest.raises(BadSource, match="requests a second"):
        RemoteOptions(rate_limit=rate)


def test_a_path_is_no_address() -> None:
    assert not is_address("/tiles/a.pmtiles")
    assert is_address("https://t.example")

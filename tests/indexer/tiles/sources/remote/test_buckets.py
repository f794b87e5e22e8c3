"""Sources in buckets, asked of a real S3 server on loopback (moto's): all kinds, with the bytes of those on disk."""

import json
import os
from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.building.build import build_index
from indexer.common.errors import BadSource
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from indexer.tiles.sources.remote.buckets import Signer, gdal_name, joined_address
from indexer.tiles.sources.remote.fetcher import Fetcher
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, content
from tests.indexer.tiles.sources.rasters import write_raster
from tests.indexer.tiles.sources.remote.test_archive import archive
from tests.indexer.tiles.sources.remote.test_rasters import item
from tests.indexer.tiny import make_tiles

ALLOWED = SourceOptions(
    zoom=17, min_valid=0.1, remote=RemoteOptions(remote=True, attribution="tests", rate_limit=1000.0)
)
FROM_GDAL = ("AWS_S3_ENDPOINT", "AWS_HTTPS", "AWS_VIRTUAL_HOSTING")
"""What is set for GDAL, and has to go again."""


@pytest.fixture(scope="module")
def store():
    """Address of a running server."""
    server = pytest.importorskip("moto.server", reason="no S3 server: pip install 'clnet-geolocalization[dev]'")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def asker(monkeypatch):
    """Keys in the environment and no other trace of anybody's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in FROM_GDAL:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    return monkeypatch


@pytest.fixture
def put(store, asker):
    """Puts a file into the bucket `imagery`, which is made anew."""
    import boto3

    asker.setenv("AWS_ENDPOINT_URL", store)
    bucket = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket="imagery")
    bucket.objects.all().delete()
    return lambda path, key: bucket.upload_file(str(path), key)


def built(address, out, **options):
    source = open_source(address, ALLOWED if not options else SourceOptions(**options))
    build_index(source, FakeEncoder(), out, spec=SPEC)
    source.close()
    return content(out)


def test_a_raster_in_a_bucket_makes_the_index_of_the_one_on_disk(put, tmp_path: Path) -> None:
    put(write_raster(tmp_path / "a.tif"), "2026/a.tif")
    there = built("s3://imagery/2026/a.tif", tmp_path / "there")
    assert there == built(tmp_path / "a.tif", tmp_path / "here", zoom=17, min_valid=0.1)


def test_an_archive_in_a_bucket_makes_the_index_of_the_one_on_disk(put, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.pmtiles")
    put(path, "a.pmtiles")
    there = built("s3://imagery/a.pmtiles", tmp_path / "there", remote=ALLOWED.remote)
    assert there == built(path, tmp_path / "here", zoom=None)


def test_tiles_in_a_bucket_are_fetched_by_their_numbers(put, tmp_path: Path) -> None:
    tiles = make_tiles(tmp_path / "tiles", columns=2, rows=2)
    for path in tiles.rglob("*.png"):
        put(path, f"t/{path.relative_to(tiles)}")
    local = open_source(tiles)
    table = local.list_tiles().table
    options = SourceOptions(zoom=int(table.z[0]), bbox=table.bounds, remote=ALLOWED.remote)
    source = open_source("s3://imagery/t/{z}/{x}/{y}.png", options)
    assert source.read(table.record(0)) == local.read(table.record(0))
    source.close()


def test_items_in_a_bucket_name_rasters_beside_them(put, tmp_path: Path) -> None:
    put(write_raster(tmp_path / "a.tif"), "scenes/a.tif")
    (tmp_path / "items.json").write_text(json.dumps(item("a", visual="../scenes/a.tif")))
    put(tmp_path / "items.json", "lists/items.json")
    source = open_source("s3://imagery/lists/items.json", ALLOWED)
    local = open_source(tmp_path / "a.tif", SourceOptions(zoom=17))
    assert source.list_tiles().table.tile_id.tolist() == local.list_tiles().table.tile_id.tolist()
    source.close()


def test_another_object_under_the_key_is_another_version(put, tmp_path: Path) -> None:
    put(write_raster(tmp_path / "a.tif"), "a.tif")
    fetcher = Fetcher(ALLOWED.remote)
    before = fetcher.version("s3://imagery/a.tif")
    put(write_raster(tmp_path / "a.tif", res=1.0), "a.tif")
    assert before
    assert fetcher.version("s3://imagery/a.tif") not in ("", before)
    fetcher.close()


def test_a_bucket_is_asked_only_where_that_is_allowed(capsys, tmp_path: Path) -> None:
    words = ["build", "--tiles", "s3://imagery/a.tif", "--out", str(tmp_path / "index")]
    assert main(words) == 1
    assert "add --remote" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://imagery/missing.tif", r"s3://imagery/missing.tif holds nothing \(404\)"),
        ("s3://nobodys/a.tif", r"holds nothing \(404\)"),
        ("s3://imagery", "of no known kind"),
        ("s3://imagery/a.vrt", "of no known kind"),
        ("s3:///a.tif", "names no object; give s3://BUCKET/KEY"),
    ],
)
def test_what_is_not_there_is_refused(put, address: str, reason: str) -> None:
    del put
    with pytest.raises(BadSource, match=reason):
        open_source(address, ALLOWED)


def test_a_signature_is_never_part_of_a_message(put, tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_bytes(b"text")
    put(tmp_path / "text.tif", "text.tif")
    for address in ("s3://imagery/text.tif", "s3://imagery/missing.pmtiles"):
        with pytest.raises(BadSource) as caught:
            open_source(address, ALLOWED)
        assert "Signature" not in str(caught.value)


def test_who_asks_has_to_be_said(asker) -> None:
    pytest.importorskip("boto3", reason="no boto3: pip install 'clnet-geolocalization[s3]'")
    asker.delenv("AWS_ACCESS_KEY_ID")
    asker.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BadSource, match="Set AWS_ACCESS_KEY_ID"):
        Signer().signed("s3://imagery/a.tif", "GET")
    asker.setenv("AWS_NO_SIGN_REQUEST", "YES")
    url, headers = Signer().signed("s3://imagery/a b.tif", "GET")
    assert (url, headers) == ("https://imagery.s3.amazonaws.com/a%20b.tif", {})


def test_region_and_payer_are_those_of_the_environment(asker) -> None:
    pytest.importorskip("boto3", reason="no boto3: pip install 'clnet-geolocalization[s3]'")
    asker.setenv("AWS_REGION", "eu-central-1")
    asker.setenv("AWS_REQUEST_PAYER", "requester")
    url, headers = Signer().signed("s3://imagery/a.tif", "HEAD")
    assert url.startswith("https://imagery.s3.eu-central-1.amazonaws.com/a.tif?X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert headers == {"x-amz-request-payer": "requester"}
    assert "x-amz-request-payer" in url.lower()


def test_gdal_is_told_of_the_endpoint(asker) -> None:
    assert gdal_name("s3://imagery/a/b.tif") == "vsis3/imagery/a/b.tif"
    assert "AWS_S3_ENDPOINT" not in os.environ
    asker.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")
    gdal_name("s3://imagery/a.tif")
    assert [os.environ[name] for name in FROM_GDAL] == ["127.0.0.1:9000", "NO", "FALSE"]
    asker.setenv("AWS_ENDPOINT_URL_S3", "127.0.0.1")
    with pytest.raises(BadSource, match=r"give such as https://store\.example:9000"):
        gdal_name("s3://imagery/a.tif")


@pytest.mark.parametrize(
    ("base", "href", "address"),
    [
        ("s3://b/x/items.json", "a.tif", "s3://b/x/a.tif"),
        ("s3://b/x/items.json", "s3://c/a.tif", "s3://c/a.tif"),
        ("https://h.example/x/items.json", "s3://c/a.tif", "s3://c/a.tif"),
        ("https://h.example/x/items.json", "../a.tif", "https://h.example/a.tif"),
    ],
)
def test_links_lead_where_they_say(base: str, href: str, address: str) -> None:
    assert joined_address(base, href) == address

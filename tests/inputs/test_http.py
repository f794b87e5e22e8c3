"""What clients and proxies really send over HTTP: answered, or refused with what was wrong and what to send."""

import gzip
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from model.common.errors import BadConfig
from service.app import create_app
from service.settings import Settings, read_settings
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, encoded, make_tiles

PHOTO = encoded(3, 600, "JPEG")
PADDED = PHOTO + bytes(40_000)


@pytest.fixture(scope="module")
def index_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("http")
    build_index(open_source(make_tiles(root / "tiles")), FakeEncoder(), root / "index")
    return root / "index"


def client_of(index_folder: Path, **settings: object) -> TestClient:
    app = create_app(Settings(index=index_folder, workers=2, **settings), load_encoder=lambda _: (FakeEncoder(), False))
    client = TestClient(app)
    client.__enter__()
    app.state.engine.loaded.wait(timeout=30)
    return client


@pytest.fixture(scope="module")
def client(index_folder: Path) -> Iterator[TestClient]:
    ready = client_of(index_folder)
    yield ready
    ready.__exit__(None, None, None)


def part(disposition: str, content: bytes = PADDED, *, close: bytes = b"--XX--\r\n") -> bytes:
    head = f"--XX\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
    return head.encode() + content + b"\r\n" + close


def post(client: TestClient, body: bytes, kind: str | None = "multipart/form-data; boundary=XX") -> httpx.Response:
    return client.post("/localize", content=body, headers={} if kind is None else {"Content-Type": kind})


def check(response: httpx.Response, status: int, *words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    for word in words:
        assert word in response.json()["detail"]


@pytest.mark.parametrize("size", [200, 40_000, 3_000_000])
def test_a_photo_without_a_file_name_is_told_to_send_one(client: TestClient, size: int) -> None:
    response = post(client, part('name="panorama"', bytes(size)))
    check(response, 422, "panorama: is text; send it as a file, with a file name")
    assert response.json()["errors"][0]["field"] == "panorama"


@pytest.mark.parametrize("size", [200, 40_000])
def test_a_file_name_in_the_form_that_forms_do_not_allow(client: TestClient, size: int) -> None:
    check(
        post(client, part("name=\"panorama\"; filename*=UTF-8''photo.jpg", bytes(size))), 422, "filename*", "RFC 7578"
    )
    both = part('name="panorama"; filename="photo.jpg"; filename*=UTF-8\'\'photo.jpg', PHOTO)
    assert post(client, both).status_code == 200


@pytest.mark.parametrize("disposition", ['filename="a.jpg"', "", 'title="a"', 'name=""; filename="a"', 'name=" "'])
@pytest.mark.parametrize("behind", [False, True], ids=["alone", "behind the photo"])
def test_a_part_without_a_name_is_told_which_to_give(client: TestClient, disposition: str, behind: bool) -> None:
    body = part(disposition, PHOTO)
    if behind:
        body = part('name="panorama"; filename="a.jpg"', PHOTO, close=body)
    check(post(client, body), 400, "a part of the form has no name", 'name="panorama"; filename="photo.jpg"')


def test_a_part_without_any_header_is_told_likewise(client: TestClient) -> None:
    check(post(client, b"--XX\r\n\r\nhello\r\n--XX--\r\n"), 400, "a part of the form has no name", "name=")


def test_another_field_that_is_too_long_is_the_one_that_is_named(client: TestClient) -> None:
    check(post(client, part('name="near"', bytes(5000))), 422, "near: is longer than 1,024 bytes")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("image/jpeg", PHOTO),
        ("application/octet-stream", PADDED),
        ("application/json", json.dumps({"panorama": "x" * 5000}).encode()),
        ("application/x-www-form-urlencoded", urllib.parse.urlencode({"panorama": PADDED}).encode()),
        ("application/x-www-form-urlencoded", b"top_k=3"),
        ("text/plain; charset=utf-8", b"hello"),
        (None, PHOTO),
    ],
)
def test_a_body_of_another_kind_is_named_with_what_to_send(client: TestClient, kind: str | None, body: bytes) -> None:
    named = "of no stated Content-Type" if kind is None else f"the body is {kind.split(';')[0]}"
    check(post(client, body, kind), 422, "panorama: is missing", named, "multipart/form-data", "curl -F panorama=@")


def test_no_body_at_all(client: TestClient) -> None:
    check(client.post("/localize"), 422, "the request has no body", "multipart/form-data")


@pytest.mark.parametrize("address", ["/localize", "/localize/together"])
@pytest.mark.parametrize("value", ["heading_deg=90", "near=47,8", "x=1"])
def test_a_value_in_the_address_is_not_passed_over(client: TestClient, address: str, value: str) -> None:
    response = client.post(f"{address}?{value}", files={"panorama": ("a.jpg", PHOTO, "image/jpeg")})
    check(response, 422, f"{value.split('=')[0]}: stands in the address", "send it as a field of the form")


def test_a_compressed_body_is_said_to_be_one(client: TestClient) -> None:
    body = gzip.compress(part('name="panorama"; filename="a.jpg"', PHOTO))
    headers = {"Content-Type": "multipart/form-data; boundary=XX", "Content-Encoding": "gzip"}
    check(client.post("/localize", content=body, headers=headers), 400, "is compressed (Content-Encoding 'gzip')")


@pytest.mark.parametrize("left", [30, 90, 2000, -1, -7])
def test_a_body_that_is_cut_off_is_said_to_be(client: TestClient, left: int) -> None:
    body = part('name="panorama"; filename="a.jpg"', PHOTO)
    cut = body[:left] if left > 0 else body[: len(body) - 10 + left]
    check(post(client, cut), 400, "the upload was cut off", "send it again")


@pytest.mark.parametrize(
    "before", [b"", b"\r\n", b"This text means nothing.\r\n", b"--XY\r\n--X\r\n" * 9000, b"--X" * 99 + b"\r\n"]
)
@pytest.mark.parametrize("step", [1 << 20, 1000, 7])
def test_text_before_the_first_part_means_nothing(client: TestClient, before: bytes, step: int) -> None:
    body = before + part('name="panorama"; filename="a.jpg"', PHOTO)
    if len(body) > 50_000 and step < 1000:
        step = 5000
    pieces = (body[start : start + step] for start in range(0, len(body), step))
    response = client.post("/localize", content=pieces, headers={"Content-Type": "multipart/form-data; boundary=XX"})
    assert response.status_code == 200, response.text


def test_more_photos_than_are_taken_are_told_where_to_go(client: TestClient) -> None:
    photo = part('name="panorama"; filename="a.jpg"', PHOTO, close=b"")
    for second in (PHOTO, b""):
        body = photo + part('name="panorama"; filename="b.jpg"', second)
        check(post(client, body), 400, "more files than the 1 that are taken here", "/localize/together")


def test_a_whole_body_is_answered(client: TestClient) -> None:
    assert post(client, part('name="panorama"; filename="a.jpg"', PHOTO)).status_code == 200


def test_a_boundary_that_is_missing_or_another(client: TestClient) -> None:
    body = part('name="panorama"; filename="a.jpg"', PHOTO)
    check(post(client, body, "multipart/form-data"), 400, "names no boundary", "leave that header to your HTTP client")
    check(post(client, body, "multipart/form-data; boundary=YY"), 400, "leave that header to your HTTP client")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/", f"/tiles/15/{LEFT}/{TOP}", "/info", "/metrics", "/web/app.js"]
)
def test_head_answers_as_get_without_a_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"date", "x-request-id"} | ({"content-length"} if path == "/metrics" else set())
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }


def test_head_of_what_get_does_not_give(client: TestClient) -> None:
    assert client.head("/nowhere").status_code == 404
    response = client.head("/localize")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    client.head("/healthz")
    counted = [line for line in client.get("/metrics").text.splitlines() if "requests_total" in line]
    assert any('"HEAD"' in line and '"/healthz"' in line for line in counted)


def image_urls(response: httpx.Response) -> set[str]:
    assert response.status_code == 200, response.text
    return {match["image_url"] for match in response.json()["matches"]}


def ask(client: TestClient, path: str = "/localize", **headers: str) -> httpx.Response:
    return client.post(path, files={"panorama": ("a.jpg", PHOTO, "image/jpeg")}, headers=headers)


@pytest.mark.parametrize("given", ["/geo", "/geo/", "/a/b.c"])
def test_links_begin_with_the_path_that_is_set(index_folder: Path, given: str) -> None:
    client, prefix = client_of(index_folder, root_path=given), given.rstrip("/")
    for path in ("/localize", f"{prefix}/localize"):  # a proxy that takes the prefix off, and one that leaves it
        urls = image_urls(ask(client, path))
        assert all(url.startswith(f"{prefix}/tiles/15/") for url in urls)
    assert client.get(urls.pop()).status_code == 200
    assert client.get(f"{prefix}/").status_code == client.get("/").status_code == 200
    assert client.get(f"{prefix}/web/app.js").status_code == 200
    assert client.get(prefix, follow_redirects=False).headers["location"] == f"{prefix}/"
    for path in ("/localize/", f"{prefix}/localize/"):
        redirected = client.post(path, follow_redirects=False)
        assert redirected.headers["location"] == f"http://testserver{prefix}/localize"
    assert client.get("/openapi.json").json()["servers"] == [{"url": prefix}]
    client.__exit__(None, None, None)


def test_a_header_of_a_client_is_not_believed(client: TestClient) -> None:
    assert all(url.startswith("/tiles/") for url in image_urls(ask(client, **{"X-Forwarded-Prefix": "/geo"})))


def test_a_header_of_a_trusted_proxy_is(index_folder: Path) -> None:
    client = client_of(index_folder, root_path="/set", trust_forwarded_prefix=True)
    for stated, prefix in (("/geo", "/geo"), ("/geo/", "/geo"), ("", ""), ("//evil.example", "/set"), ("/a b", "/set")):
        urls = image_urls(ask(client, **{"X-Forwarded-Prefix": stated}))
        assert all(url.startswith(f"{prefix}/tiles/") for url in urls), stated
    assert all(url.startswith("/set/tiles/") for url in image_urls(ask(client)))
    client.__exit__(None, None, None)


@pytest.mark.parametrize("wrong", ["geo", "//geo", "/a b", "/..", "/geo?x", "http://x/geo"])
def test_a_path_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadConfig, match="--root-path"):
        read_settings(Settings, {"index": tmp_path, "root_path": wrong})


def test_a_real_server_answers_head_and_a_refused_upload_whole(index_folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(Settings(index=index_folder, workers=2), load_encoder=lambda _: (FakeEncoder(), False))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.05)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.head("/healthz").status_code == 200
            assert client.get("/healthz").json() == {"status": "ok"}
            for _ in range(3):  # over one connection: nothing of a body is left in it
                response = client.post("/localize", content=bytes(5_000_000), headers={"Content-Type": "image/jpeg"})
                check(response, 422, "the body is image/jpeg")
                body = part('name="panorama"', bytes(2_000_000))
                kind = {"Content-Type": "multipart/form-data; boundary=XX"}
                check(client.post("/localize", content=body, headers=kind), 422, "with a file name")
    finally:
        server.should_exit = True
        thread.join(20)


def answered(response: httpx.Response) -> str:
    """The tile that was found, of a request that was answered."""
    assert response.status_code == 200, response.text
    return str(response.json()["matches"][0]["tile_id"])


@pytest.mark.parametrize(
    "name",
    [
        'filename="\u00fc.jpg"'.encode(),
        'filename="\u00fc.jpg"'.encode("latin-1"),
        rb'filename="a \"b\".jpg"',
        b'filename="../../etc/passwd"',
        b'filename="C:\\x\\y.jpg"',
        b"filename=a.jpg",
        b"filename=\"a.jpg\"; filename*=UTF-8''%c3%bc.jpg",
    ],
)
def test_a_file_name_of_any_form_brings_the_same_answer(client: TestClient, name: bytes) -> None:
    head = b'--XX\r\nContent-Disposition: form-data; name="panorama"; ' + name + b"\r\n\r\n"
    assert answered(post(client, head + PHOTO + b"\r\n--XX--\r\n")) == answered(ask(client))


def test_a_form_in_which_no_file_was_chosen_lacks_the_photo(client: TestClient) -> None:
    check(post(client, part('name="panorama"; filename=""', b"")), 422, "panorama: is missing")


def test_lines_that_end_otherwise_than_the_standard_says_are_refused(client: TestClient) -> None:
    body = b'--XX\nContent-Disposition: form-data; name="panorama"; filename="a.jpg"\n\n' + PHOTO + b"\n--XX--\n"
    check(post(client, body), 400, "not the multipart data that its Content-Type announces")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_boundary_that_is_not_named_is_a_sentence(client: TestClient, kind: str) -> None:
    check(post(client, part('name="panorama"; filename="a.jpg"'), kind), 400, "leave that header to your HTTP client")

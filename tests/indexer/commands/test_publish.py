"""`publish`, and the commands that ask a collection."""

import json
import socket
from pathlib import Path

import pytest

from tests.indexer.commands.running import run
from tests.indexer.tiny import picture

pytest.importorskip("pymilvus", reason="no Milvus client: pip install clnet-geolocalization[milvus]")
pytest.importorskip("milvus_lite", reason="no Milvus Lite: pip install clnet-geolocalization[milvus]")

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def address(built: Path, tmp_path_factory) -> str:
    address = f"milvus://{tmp_path_factory.mktemp('lite')}/city.db#city"
    assert run(built, "publish", "--index", built / "index", "--to", address, "--quiet") == 0
    return address


def answer_of(built: Path, index: str | Path, capsys: Captured) -> dict:
    assert run(built, "search", "--index", index, "--image", built / "photo.png", "--json", "--heading-deg", "0") == 0
    return json.loads(capsys.readouterr().out)


def test_a_collection_answers_as_the_folder(built: Path, address: str, capsys: Captured) -> None:
    capsys.readouterr()
    asked, wanted = (answer_of(built, place, capsys) for place in (address, built / "index"))
    assert [one["tile_id"] for one in asked["matches"]] == [one["tile_id"] for one in wanted["matches"]]
    assert asked["index"] == wanted["index"] | {"name": "city"}
    assert asked["exact"]


def test_many_photos_are_placed_by_a_collection(built: Path, address: str, tmp_path: Path, capsys: Captured) -> None:
    for seed in range(3):
        picture(seed, 200).save(tmp_path / f"{seed}.png")
    assert run(built, "localize", "--index", address, tmp_path, "--csv", "--quiet") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_photos_of_one_place_are_refused_by_name(built: Path, address: str, capsys: Captured) -> None:
    assert run(built, "localize", "--index", address, built / "photo.png", "--together") == 1
    assert "one photo at a time" in capsys.readouterr().err


def test_info_tells_what_was_published(built: Path, address: str, capsys: Captured) -> None:
    capsys.readouterr()
    assert run(built, "info", "--index", address) == 0
    shown = capsys.readouterr().out
    assert "12 of" in shown
    assert "by FLAT" in shown
    assert run(built, "info", "--index", address, "--json") == 0
    assert json.loads(capsys.readouterr().out)["count"] == 12


def publish(built: Path, to: str, *arguments: str) -> int:
    from indexer.__main__ import main

    return main(["publish", "--index", str(built / "index"), "--to", to, *arguments])


def test_what_is_there_stays_unless_it_is_to_be_replaced(built: Path, address: str, capsys: Captured) -> None:
    assert publish(built, address) == 1
    assert "--replace" in capsys.readouterr().err
    assert publish(built, address, "--replace", "--lists", "HNSW") == 0
    assert "of the ten exact answers" in capsys.readouterr().out
    assert publish(built, address, "--replace") == 0


def test_a_server_that_is_away_is_one_line(built: Path, capsys: Captured) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    address = f"milvus://127.0.0.1:{port}/city?timeout_s=2"
    assert publish(built, address) == 1
    for name in ("search", "localize"):
        asked = ["--image", built / "photo.png"] if name == "search" else [built / "photo.png"]
        assert run(built, name, "--index", address, *asked) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("does not answer" in line for line in lines), lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "elsewhere"], "no address of Milvus"),
        (["--to", "milvus://db/city", "--effort", "3"], "FLAT takes none"),
        (["--to", "milvus://db/city", "--lists", "IVF_PQ"], "IVF_PQ"),
    ],
)
def test_what_cannot_be_is_refused_as_it_is_read(
    built: Path, arguments: list[str], said: str, capsys: Captured
) -> None:
    from indexer.__main__ import main

    assert main(["publish", "--index", str(built / "index"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_commands_that_change_an_index_want_a_folder(built: Path, capsys: Captured) -> None:
    assert run(built, "verify", "--index", "milvus://db/city") == 2
    assert "works on index folders" in capsys.readouterr().err

from pathlib import Path

import pytest

from indexer.milvus.address import MilvusAddress, index_folder, parse_index, parse_milvus, read_token
from model.common.errors import BadConfig


def test_a_server_and_its_options():
    found = parse_milvus("milvus://db.example/city?database=maps&tls=true&timeout_s=3&token_file=/run/token")
    assert (found.uri, found.collection, found.database, found.timeout_s) == (
        "https://db.example:19530", "city", "maps", 3.0)  # fmt: skip
    assert found.token_file == Path("/run/token")
    assert not found.is_file


def test_the_address_of_version_six():
    assert parse_milvus("milvus://[::1]:7/city").uri == "http://[::1]:7"


def test_a_file_of_milvus_lite(tmp_path, monkeypatch):
    found = parse_milvus("milvus:///data/x.db#city")
    assert (found.uri, found.collection, found.is_file) == ("/data/x.db", "city", True)
    monkeypatch.chdir(tmp_path)
    assert parse_milvus("milvus:x.db#city").uri == str(tmp_path / "x.db")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("milvus://user:secret@db/city", "token_file"),
        ("milvus://db/", "collection ''"),
        ("milvus://db/ci-ty", "'ci-ty'"),
        ("milvus://db/1city", "no digit first"),
        ("milvus://db:port/city", "port"),
        ("milvus://db/city?colour=red", "option colour"),
        ("milvus://db/city?tls=yes", "true or false"),
        ("milvus://db/city?timeout_s=0", "0 s"),
        ("milvus://db/city?timeout_s=soon", "soon"),
        ("milvus:///data/x.db", "names the collection ''"),
        ("milvus:///data/x.sqlite#city", "ends in .db"),
        ("milvus://db/x.db#city", "ends in .db"),
    ],
)
def test_what_cannot_be_an_address_says_why(text, said):
    with pytest.raises(ValueError, match=said.replace("[", r"\[")) as caught:
        parse_milvus(text)
    assert "secret" not in str(caught.value)


def test_a_folder_is_a_folder():
    assert parse_index("data/index") == Path("data/index")
    assert isinstance(parse_index("milvus://db/city"), MilvusAddress)
    assert index_folder("data/index") == Path("data/index")
    with pytest.raises(ValueError, match="works on index folders"):
        index_folder("milvus://db/city")


def test_the_token_comes_from_a_file(tmp_path):
    file = tmp_path / "token"
    address = parse_milvus(f"milvus://db/city?token_file={file}")
    with pytest.raises(BadConfig, match="cannot be read"):
        read_token(address)
    file.write_text("\n")
    with pytest.raises(BadConfig, match="empty"):
        read_token(address)
    file.write_text("root:hello\n")
    assert read_token(address) == "root:hello"
    assert read_token(parse_milvus("milvus://db/city")) == ""

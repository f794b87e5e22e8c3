import socket
import time

import pytest

from indexer.common.errors import DatabaseAway, DatabaseFault
from indexer.milvus.address import parse_milvus
from indexer.milvus.connection import Connection

pytest.importorskip("pymilvus", reason="no Milvus client: pip install clnet-geolocalization[milvus]")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_server_that_is_not_there_is_said_soon():
    began = time.monotonic()
    with pytest.raises(DatabaseAway, match="does not answer"):
        Connection(parse_milvus(f"milvus://127.0.0.1:{free_port()}/city?timeout_s=2"))
    assert time.monotonic() - began < 20


def test_nor_does_one_that_never_answers_hold_us_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(DatabaseAway, match="does not answer"):
            Connection(parse_milvus(f"milvus://127.0.0.1:{silent.getsockname()[1]}/city?timeout_s=2"))
        assert time.monotonic() - began < 20


def test_what_it_refuses_is_a_fault_and_one_line(lite):
    connection = Connection(lite)
    with pytest.raises(DatabaseFault, match="cannot do that") as caught:
        connection.call("search", "nowhere", data=[[0.0]], limit=1)
    assert "\n" not in str(caught.value)
    connection.close()

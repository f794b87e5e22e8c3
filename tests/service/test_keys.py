import os

import pytest

from model.common.errors import BadConfig
from service.keys import KeyRing, new_key


@pytest.fixture
def ring(tmp_path):
    """A file with one key: (path, key)."""
    key, line = new_key("anna")
    path = tmp_path / "keys.txt"
    path.write_text(f"# ours\n\n{line}\n")
    return path, key


def test_key_opens_for_its_name_and_no_other_does(ring):
    path, key = ring
    keys = KeyRing(path)
    assert keys.name_of(key) == "anna"
    for wrong in ("", key[:-1], key + "x", key.upper(), "é"):
        assert keys.name_of(wrong) is None
    assert key not in path.read_text()


def test_key_that_is_taken_out_of_the_file_opens_nothing_any_more(ring):
    path, key = ring
    keys = KeyRing(path)
    other, line = new_key("bert")
    path.write_text(line)
    os.utime(path, ns=(1, 1))
    assert (keys.name_of(key), keys.name_of(other)) == (None, "bert")


def test_file_that_breaks_while_it_is_used_changes_nothing(ring):
    path, key = ring
    keys = KeyRing(path)
    path.write_text("no key at all")
    os.utime(path, ns=(1, 1))
    assert keys.name_of(key) == "anna"
    path.unlink()
    assert keys.name_of(key) == "anna"


def test_limit_of_a_key_is_kept(tmp_path):
    key, line = new_key("anna", per_minute=2)
    path = tmp_path / "keys.txt"
    path.write_text(line)
    keys = KeyRing(path)
    assert keys.name_of(key) == "anna"
    assert [keys.wait_s(key) for _ in range(2)] == [0.0, 0.0]
    assert 25 < keys.wait_s(key) <= 30
    assert keys.wait_s("nobody's key") == 0.0


def test_two_keys_of_one_name_each_have_their_own_limit(tmp_path):
    (free, first), (bounded, second) = new_key("anna"), new_key("anna", per_minute=1)
    path = tmp_path / "keys.txt"
    path.write_text(f"{first}\n{second}\n")
    keys = KeyRing(path)
    assert {keys.name_of(free), keys.name_of(bounded)} == {"anna"}
    assert keys.wait_s(bounded) == 0.0
    assert keys.wait_s(bounded) > 0.0
    assert keys.wait_s(free) == 0.0


@pytest.mark.parametrize("per_minute", [0, -5, 10_000_000])
def test_limit_that_is_none_is_refused_when_the_key_is_made(per_minute):
    with pytest.raises(BadConfig, match="give 1 to 9,999,999"):
        new_key("anna", per_minute)


@pytest.mark.parametrize(
    "line", ["anna", "anna abc", f"an na {'0' * 64}", f"anna {'0' * 64} often", f"anna {'0' * 64} 0"]
)
def test_line_that_is_none_is_named(tmp_path, line):
    (tmp_path / "keys.txt").write_text(f"# first\n{line}\n")
    with pytest.raises(BadConfig, match="line 2"):
        KeyRing(tmp_path / "keys.txt")


def test_missing_file_and_bad_name_are_refused(tmp_path):
    with pytest.raises(BadConfig, match="cannot be read"):
        KeyRing(tmp_path / "nowhere")
    with pytest.raises(BadConfig, match="cannot name a key"):
        new_key("an na")

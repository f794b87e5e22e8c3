import json
import math
import os
from pathlib import Path

import pytest

from model.common.atomic_io import (
    canonical_json,
    read_json,
    sha256_bytes,
    sha256_file,
    staged_file,
    staged_folder,
    write_json,
)
from model.common.errors import BadConfig, OutputExists


def test_a_folder_appears_whole_and_nothing_else_stays(tmp_path):
    with staged_folder(tmp_path / "a" / "made") as staged:
        (staged / "file").write_text("content")
        assert not (tmp_path / "a" / "made").exists()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["made"]
    assert (tmp_path / "a" / "made" / "file").read_text() == "content"


def test_a_folder_whose_filling_fails_vanishes(tmp_path):
    with pytest.raises(ValueError, match="half-way"), staged_folder(tmp_path / "made"):
        raise ValueError("half-way")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "made").mkdir()
    with pytest.raises(OutputExists, match="choose another place"), staged_folder(tmp_path / "made"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_what_a_killed_process_left_does_not_stop_one_of_the_same_number(tmp_path, monkeypatch):
    """In a restarted container the same command gets the same process number."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    with staged_folder(tmp_path / "made") as staged:
        pass
    staged.mkdir()  # as if it had been killed
    (tmp_path / "made").rmdir()
    with staged_folder(tmp_path / "made"):
        pass
    assert (tmp_path / "made").is_dir()


def test_json_is_written_whole_and_depends_on_the_value_only(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "ä"})
    assert (tmp_path / "a.json").read_bytes() == canonical_json({"a": "ä", "b": 1})
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"a": "ä", "b": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_canonical_json_is_laid_out_for_readers_and_has_letters_as_they_are():
    assert canonical_json({"b": [1], "a": "ä"}) == '{\n  "a": "ä",\n  "b": [\n    1\n  ]\n}\n'.encode()


def test_an_object_is_read_as_it_was_written(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, None], "a": {"ä": 0.5}})
    assert read_json(tmp_path / "a.json") == {"b": [1, None], "a": {"ä": 0.5}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1]", "^it holds a list where an object is wanted$"),
        ("{", "^Expecting property name"),
        ('{"a": NaN}', "not JSON compliant"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ("[" * 100_000, "^it is nested too deeply$"),
    ],
)
def test_what_canonical_json_could_not_write_is_not_read_either(tmp_path, content, reason):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=reason):
        read_json(tmp_path / "a.json")


def test_a_file_whose_writing_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "log").write_text("old")
    with pytest.raises(FileNotFoundError), staged_file(tmp_path / "log"):
        (tmp_path / "missing").read_text()
    assert (tmp_path / "log").read_text() == "old"


def test_a_file_whose_writing_fails_half_way_leaves_nothing(tmp_path):
    def fill(path):
        path.write_text("half")
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"), staged_file(tmp_path / "log") as staged:
        fill(staged)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_named_and_nothing_is_left(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OutputExists, match=r"a\.json is a folder where a file is to be written; remove or rename it$"):
        write_json(tmp_path / "a.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_inside_a_file_is_refused_by_the_name_of_the_file(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(BadConfig, match=r"cannot be made, because .*/file is a file"),
        staged_folder(tmp_path / "file" / "a" / "b"),
    ):
        pass


def test_json_has_no_word_for_nan():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": math.nan})


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    assert sha256_file(tmp_path / "file") == sha256_bytes(b"x" * 3_000_000)


def test_a_folder_is_on_disk_before_it_has_its_name_and_its_name_before_the_block_ends(tmp_path, monkeypatch):
    synced, really = [], os.fsync

    def note(descriptor):
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "made").exists()))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with staged_folder(tmp_path / "made") as staged:
        (staged / "part").mkdir()
        for name in ("file", "part/inner"):
            (staged / name).write_text("content")
    made = tmp_path / "made"
    expected = [made / "file", made / "part", made / "part" / "inner", made]
    assert synced == [*((path.stat().st_ino, False) for path in expected), (tmp_path.stat().st_ino, True)]


def test_a_file_is_on_disk_before_it_replaces_the_old_one(tmp_path, monkeypatch):
    synced, really = [], os.fsync
    (tmp_path / "a.json").write_text("old")

    def note(descriptor):
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "a.json").read_text()))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_json(tmp_path / "a.json", {})
    assert synced == [((tmp_path / "a.json").stat().st_ino, "old")]

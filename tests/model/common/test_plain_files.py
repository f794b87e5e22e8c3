import os
import threading
from pathlib import Path

import pytest

from model.common.errors import NotPlainFile
from model.common.plain_files import read_plain, require_plain


def test_a_plain_file_is_read_through_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to("a")
    assert read_plain(tmp_path / "b") == read_plain(str(tmp_path / "a")) == b"abc"


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "zero"):
        with pytest.raises(NotPlainFile, match="is no plain file but a pipe or a device"):
            read_plain(path)
    with pytest.raises(NotPlainFile):
        read_plain(tmp_path / "zero", or_pipe=True)


def test_a_pipe_is_read_where_a_shell_may_give_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"abc"))
    writer.start()
    assert read_plain(tmp_path / "pipe", or_pipe=True) == b"abc"
    writer.join()


def test_what_is_missing_or_a_folder_is_told_by_whoever_opens_it(tmp_path: Path) -> None:
    require_plain(tmp_path)
    require_plain(tmp_path / "nowhere")
    require_plain("no\0name")
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        read_plain(tmp_path)

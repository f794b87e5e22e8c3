import os
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from model.data.fingerprint import file_stats, pairs_digest
from model.data.manifest import read_manifest
from tests.model.tiny import write_pairs


@pytest.fixture
def manifest(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    return write_pairs(folder, count=3, distractors=1)


def test_a_moved_folder_keeps_its_digest(manifest, tmp_path):
    moved = shutil.copytree(manifest.parent, tmp_path / "elsewhere")
    assert pairs_digest(read_manifest(manifest)) == pairs_digest(read_manifest(moved / manifest.name))


def test_another_picture_another_place_or_another_pairing_is_another_digest(manifest):
    pairs = read_manifest(manifest)
    digests = {pairs_digest(pairs)}
    digests.add(pairs_digest(replace(pairs, positives=pairs.positives[::-1].copy())))
    digests.add(pairs_digest(replace(pairs, semi_positives=((3,), (), ()))))
    digests.add(pairs_digest(replace(pairs, more_positives=((3,), (), ()))))
    digests.add(pairs_digest(replace(pairs, queries=(replace(pairs.queries[0], heading_deg=9.0), *pairs.queries[1:]))))
    Image.new("RGB", (99, 99), (1, 2, 3)).save(pairs.queries[0].path)
    digests.add(pairs_digest(pairs))
    assert len(digests) == 6


def test_stats_tell_a_picture_that_was_written_again(manifest):
    pairs = read_manifest(manifest)
    before = list(file_stats(pairs))
    assert [name for name, _, _ in before[:3]] == [str(query.path.absolute()) for query in pairs.queries]
    assert len(before) == 3 + 4
    path = pairs.references[3].path
    os.utime(path, ns=(1, 1))
    changed = [one for one, two in zip(before, file_stats(pairs), strict=True) if one != two]
    assert [name for name, _, _ in changed] == [str(path.absolute())]

import hashlib
import json
from dataclasses import replace

import pytest

from model.data.manifest import read_manifest
from model.errors import BadDataset, OutputExists
from model.geo import great_circle_m
from model.world.appearance import Difficulty
from model.world.pairs import ensure_split, render_split
from model.world.splits import SPLITS, Split, find_split

SMALL = Split("small", (401, 402), 6, 1, 50.0, area_m=150.0, difficulty=Difficulty(offset=0.25))


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()
    }


def quiet(done, total):
    assert done <= total


def test_a_split_is_the_same_whatever_the_number_of_workers_and_reads_as_a_data_set(tmp_path):
    for workers in (1, 2):
        render_split(SMALL, tmp_path / str(workers), workers=workers, progress=quiet)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    pairs = read_manifest(tmp_path / "1" / "pairs.csv")
    assert len(pairs.queries) == len(pairs.references) == 6
    offsets = [great_circle_m(q.location, r.location) for q, r in zip(pairs.queries, pairs.references, strict=True)]
    assert 0 < max(offsets) <= 36.0
    assert json.loads((tmp_path / "1" / "world.json").read_text())["synthetic"] is True


def test_a_rendered_split_is_reused_and_never_overwritten(tmp_path):
    first = ensure_split(SMALL, tmp_path, workers=1, progress=quiet)
    stamp = first.stat().st_mtime_ns
    assert ensure_split(SMALL, tmp_path, workers=1, progress=quiet).stat().st_mtime_ns == stamp
    with pytest.raises(OutputExists):
        render_split(SMALL, first.parent, workers=1, progress=quiet)


def test_another_difficulty_is_another_cache_entry(tmp_path):
    a = ensure_split(SMALL, tmp_path, workers=1, progress=quiet)
    b = ensure_split(replace(SMALL, difficulty=Difficulty()), tmp_path, workers=1, progress=quiet)
    assert a.parent != b.parent


def test_too_few_free_places_is_an_error_that_leaves_nothing(tmp_path):
    with pytest.raises(BadDataset, match="free places of 500"):
        render_split(replace(SMALL, places=500), tmp_path / "out", workers=1, progress=lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_no_two_splits_share_a_seed():
    seeds = [seed for split in SPLITS.values() for seed in split.seeds]
    assert len(seeds) == len(set(seeds))


def test_an_unknown_split_says_which_there_are():
    with pytest.raises(BadDataset, match="choose one of train, val"):
        find_split("moon")

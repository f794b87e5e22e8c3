import pytest

from model.common.errors import BadDataset
from model.data.sources import open_pairs
from model.synthetic.splits import MANIFESTS, Split
from tests.model.data.benchmarks.trees import write_cvusa
from tests.model.tiny import write_pairs


def test_a_path_is_a_manifest(tmp_path):
    pairs = open_pairs(str(write_pairs(tmp_path)))
    assert (len(pairs.queries), len(pairs.references)) == (8, 10)


def test_a_benchmark_is_opened_by_its_name(tmp_path):
    pairs = open_pairs(f"cvusa:val?root={write_cvusa(tmp_path)}")
    assert pairs.name.startswith("cvusa:val")
    assert len(pairs.queries) == 2


def test_a_split_of_the_world_is_rendered_once(tmp_path, monkeypatch):
    monkeypatch.setitem(MANIFESTS, "two", (Split("two", (5,), 2, 1, area_m=150.0), "pairs.csv"))
    first = open_pairs("world:two", cache=tmp_path, workers=1)
    stamp = first.references[0].path.stat().st_mtime_ns
    again = open_pairs("world:two", cache=tmp_path, workers=1)
    assert (first.name, len(first.queries)) == ("world:two", 2)
    assert again.references[0].path.stat().st_mtime_ns == stamp


def test_of_several_what_must_be_rendered_comes_last(tmp_path, monkeypatch):
    monkeypatch.setitem(MANIFESTS, "two", (Split("two", (5,), 2, 1, area_m=150.0), "pairs.csv"))
    with pytest.raises(BadDataset, match=r"absent\.csv"):
        open_pairs("world:two + absent.csv", cache=tmp_path, workers=1)
    assert not any(tmp_path.iterdir()), "nothing was rendered"
    joined = open_pairs("world:two + world:two", cache=tmp_path, workers=1)
    assert len(joined.queries) == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("world:nowhere", "the world has no split 'nowhere'; choose one of train"),
        ("mars:train", "there is no data set 'mars:train'; known are world, "),
        ("absent.csv", "absent.csv"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(tmp_path, monkeypatch, text, reason):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadDataset, match=reason):
        open_pairs(text, cache=tmp_path)

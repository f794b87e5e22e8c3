from pathlib import Path

import pytest

from model.common.errors import BadDataset
from model.data.benchmarks.registry import BENCHMARKS, names_benchmark, parse_source
from model.data.sources import open_pairs
from tests.model.data.benchmarks.trees import write_cvusa


def test_names_of_benchmarks_are_told_from_worlds_and_paths():
    for text in ("cvusa", "cvusa:val", "vigor:same-area-test?root=x", "university?root=a:b", "cvusa:moon"):
        assert names_benchmark(text)
    for text in ("world:val", "pairs.csv", "data/cvusa:val.csv", "cvusa.csv", ""):
        assert not names_benchmark(text)


def test_one_string_holds_everything():
    source = parse_source("vigor:cross-area-test?root=/data/VIGOR&labels=corrected&missing=skip")
    assert (source.benchmark.name, source.split, source.root) == ("vigor", "cross-area-test", Path("/data/VIGOR"))
    assert source.options == {"labels": "corrected"}
    assert source.skip_missing


def test_what_is_left_out_takes_its_default():
    source = parse_source("vigor")
    assert (source.split, source.root, source.options) == (None, None, {"labels": "original"})
    assert not source.skip_missing


@pytest.mark.parametrize("root", ["a&b", "a=b", "C:\\data\\VIGOR", "100 %?", "x&root", "with:colon/ä"])
def test_a_path_is_written_as_it_is(root):
    assert str(parse_source(f"vigor:same-area-test?root={root}&labels=corrected").root) == root
    assert str(parse_source(f"vigor:same-area-test?labels=corrected&root={root}").root) == root


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cvusa:test?root=x", "cvusa has no split 'test'; give one of train, val"),
        ("cvusa:?root=x", "cvusa has no split ''"),
        ("cvusa:val", r"has no root; write it as cvusa:val\?root=/data/CVUSA \(splits of cvusa: train, val\)"),
        ("cvusa?root=x", "has no split; write it as"),
        ("cvusa:val?root=", "'root=' is no option; known are root=, missing=, once each"),
        ("cvusa:val?root=x&root=y", "'root=y' is no option"),
        ("cvusa:val?labels=corrected&root=x", "'labels=corrected' is no option"),
        ("cvusa:val?x", "'x' is no option"),
        ("vigor:same-area-test?root=x&labels=best", "labels is 'best'; choose original or corrected"),
        ("cvusa:val?root=x&missing=maybe", "missing is 'maybe'; choose refuse or skip"),
        ("cvusa:val?root=none", "there is no folder none; give the folder of cvusa that holds bingmap/ or"),
    ],
)
def test_a_mistake_is_explained_in_one_line(text, reason):
    with pytest.raises(BadDataset, match=reason) as error:
        open_pairs(text)
    assert "\n" not in str(error.value)


def test_an_unknown_benchmark_is_named():
    with pytest.raises(BadDataset, match="there is no benchmark 'cvusb'; known are cvusa, cvact, vigor, university"):
        parse_source("cvusb:val")


@pytest.mark.parametrize("text", ["cvusb:val?root=x", "word:val"])
def test_a_name_that_is_no_file_lists_what_is_known(text):
    with pytest.raises(
        BadDataset, match=r"there is no data set '.*'; known are world, cvusa, cvact, vigor, university"
    ):
        open_pairs(text)


def test_missing_pictures_are_refused_or_left_out_by_choice(tmp_path):
    root = write_cvusa(tmp_path)
    (root / "streetview/panos/0000023.jpg").unlink()
    with pytest.raises(BadDataset, match=r"cvusa:val names 1 of 4 pictures .* or empty, first .*0000023\.jpg; `python"):
        open_pairs(f"cvusa:val?root={root}")
    pairs = open_pairs(f"cvusa:val?root={root}&missing=skip")
    assert [query.path.name for query in pairs.queries] == [tile.path.name for tile in pairs.references]
    assert pairs.name == "cvusa:val, without 1 of 2 queries and 1 of 2 references that are missing"
    assert open_pairs(f"cvusa:train?root={root}&missing=skip").name == "cvusa:train"


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=list(BENCHMARKS))
def test_each_benchmark_describes_itself(benchmark):
    assert benchmark.traps
    assert all(split.summary for split in benchmark.splits.values())
    assert all("\n" not in trap for trap in benchmark.traps)

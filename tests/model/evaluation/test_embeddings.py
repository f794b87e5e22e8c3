"""Embeddings written once and scored again; and that scoring needs little memory, however large the product."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadStore, OutputExists
from model.evaluation.embeddings import open_embeddings, write_embeddings
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring
from model.evaluation.ranking import EmbeddedQueries

ABOUT = {"checkpoint": {"name": "tiny", "digest": "0", "trained_on": None}, "asked": {"fov_deg": 360.0}}
RANDOM = np.random.default_rng(0)


def unit(shape):
    vectors = RANDOM.normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def small_truth(queries=5, references=7):
    places = np.stack([np.full(queries, 47.0), np.arange(queries, dtype=float)], axis=1)
    centres = np.stack([np.full(references, 47.0), np.arange(references, dtype=float)], axis=1)
    centres[-1] = np.nan
    return GroundTruth(
        "small",
        tuple(f"q{n}" for n in range(queries)),
        tuple(f"r{n}" for n in range(references)),
        tuple(np.array([n, n + 1][: 1 + n % 2], np.int64) for n in range(queries)),
        tuple(np.array([6] if n == 2 else [], np.int64) for n in range(queries)),
        places,
        centres,
    )


def write(folder, *, precision="float32", copies=1, truth=None):
    truth = truth or small_truth()
    gallery, queries = unit((7, 8)), unit((5, copies, 8))

    def ask(references):
        assert references.shape == (7, 8)
        for part in (np.arange(0, 3), np.arange(3, 5)):
            headings = np.tile(np.arange(copies) * 10.0, (len(part), 1))
            yield EmbeddedQueries(part, queries[part], headings, part * 1.0, part * 2.0)

    write_embeddings(folder, ABOUT, truth, np.split(gallery, [4]), ask, precision=precision)
    return gallery, queries


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 0), ("float16", 1e-3)])
def test_what_is_written_is_read(tmp_path, precision, tolerance):
    gallery, queries = write(tmp_path / "e", precision=precision, copies=3)
    stored, truth = open_embeddings(tmp_path / "e"), small_truth()
    np.testing.assert_allclose(stored.references, gallery, atol=tolerance)
    np.testing.assert_allclose(stored.queries.vectors, queries, atol=tolerance)
    assert stored.references.dtype == precision
    assert stored.queries.headings_deg[4].tolist() == [0.0, 10.0, 20.0]
    assert stored.queries.true_deg.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert (stored.truth.pictures, stored.truth.tiles, stored.truth.data) == (truth.pictures, truth.tiles, "small")
    for name in ("positives", "semi_positives"):
        pairs = zip(getattr(stored.truth, name), getattr(truth, name), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(stored.truth.centres, truth.centres)
    np.testing.assert_array_equal(stored.truth.places, truth.places)
    assert stored.truth.places_m is None
    told = stored.evaluate(Scoring()).protocol
    assert (told["vectors"], told["fov_deg"]) == (precision, 360.0)


def test_a_plane_is_stored_and_semi_positives_that_are_unknown_stay_so(tmp_path):
    plane = {"places_m": RANDOM.normal(size=(5, 2)), "centres_m": RANDOM.normal(size=(7, 2))}
    write(tmp_path / "e", truth=replace(small_truth(), semi_positives=(), **plane))
    stored = open_embeddings(tmp_path / "e")
    for name, values in plane.items():
        np.testing.assert_array_equal(getattr(stored.truth, name), values)
    assert stored.truth.semi_positives == ()
    assert "hit_rate" not in stored.evaluate(Scoring()).further


def test_other_rules_need_no_other_embeddings(tmp_path):
    write(tmp_path / "e")
    stored = open_embeddings(tmp_path / "e")
    kept, dropped = (stored.evaluate(Scoring(distractors=rule)) for rule in ("keep", "drop"))
    assert (kept.gallery, dropped.gallery) == (7, 5)
    assert (dropped.query_results.ranks <= kept.query_results.ranks).all()


@pytest.mark.parametrize("name", ["references.npy", "queries.parquet", "asked.parquet"])
def test_a_changed_or_missing_file_is_found(tmp_path, name):
    write(tmp_path / "e")
    path = tmp_path / "e" / name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadStore, match=name):
        open_embeddings(tmp_path / "e")
    path.unlink()
    with pytest.raises(BadStore, match=name):
        open_embeddings(tmp_path / "e")


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    with pytest.raises(BadStore, match="holds no embeddings"):
        open_embeddings(tmp_path / "nowhere")
    for content, reason in (("[]", "it holds a list"), ('{"format": 9}', "format 9"), ('{"format": 1}', "lacks asked")):
        (tmp_path / "embeddings.json").write_text(content)
        with pytest.raises(BadStore, match=reason):
            open_embeddings(tmp_path)


def test_nothing_is_overwritten_and_nothing_half_is_left(tmp_path):
    write(tmp_path / "e")
    with pytest.raises(OutputExists):
        write(tmp_path / "e")
    with pytest.raises(ZeroDivisionError):
        write_embeddings(tmp_path / "f", ABOUT, small_truth(), (1 / 0 for _ in range(1)), lambda _: [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e"]


def test_scoring_again_loads_no_torch():
    code = "import sys, model.evaluation.embeddings; print('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root).strip() == "False"


_LIMITED = """
import json, re, resource, sys
from pathlib import Path
import numpy as np
from model.evaluation.embeddings import open_embeddings
from model.evaluation.metrics import Scoring

stored = open_embeddings(Path(sys.argv[1]))
now = 1024 * int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    np.ones((len(stored.queries.numbers), len(stored.references)), np.float32)
    whole = True
except MemoryError:
    whole = False
print(json.dumps({"whole": whole, **stored.evaluate(Scoring(within_m=(5.0,))).as_json()}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory the Linux way")
def test_a_product_larger_than_memory_is_scored(tmp_path):
    count = 9000  # 324 MB of scores, under a limit of 256 MB
    vectors = unit((count, 16)).astype(np.float16)
    places = np.stack([np.full(count, 47.0), np.arange(count) / 100], axis=1)
    names = tuple(str(n) for n in range(count))
    truth = GroundTruth("many", names, names, tuple(np.arange(count).reshape(-1, 1)), (), places, places)

    def ask(_):
        zeros = np.zeros(count)
        yield EmbeddedQueries(np.arange(count), vectors[:, np.newaxis], zeros[:, np.newaxis], zeros, zeros)

    write_embeddings(tmp_path / "e", ABOUT, truth, [vectors], ask, precision="float16")
    command = [sys.executable, "-c", _LIMITED, str(tmp_path / "e"), str(256 << 20)]
    found = json.loads(subprocess.check_output(command, text=True, cwd=Path(__file__).parents[3]))
    assert found["whole"] is False
    assert (found["recall@1"], found["recall@1_within_5m"], found["queries"]) == (100.0, 100.0, count)

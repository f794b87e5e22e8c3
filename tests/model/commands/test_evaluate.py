"""`evaluate`: what it prints, stores and refuses."""

import json

import pytest

from model.__main__ import main
from tests.model.data.benchmarks.trees import write_cvusa


def test_the_table_names_data_gallery_and_protocol(bundle, manifest, capsys):
    assert main(["evaluate", "--checkpoint", str(bundle), "--data", str(manifest)]) == 0
    out = capsys.readouterr().out
    assert "gallery of 10 tiles" in out
    assert "ties pessimistic: they count against the model" in out


def test_a_narrow_view_of_unknown_heading_through_the_command_line(bundle, manifest, tmp_path, capsys):
    command = [
        "evaluate",
        "--checkpoint",
        str(bundle),
        "--data",
        str(manifest),
        "--fov-deg",
        "90",
        "--heading-deg",
        "unknown",
    ]
    command += ["--headings", "4", "--queries", "4", "--seed", "3", "--save", str(tmp_path / "saved")]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["queries"], result["gallery"]) == (4, 10)
    assert result["protocol"]["rolled_copies"] == [4, 6]
    assert (result["protocol"]["fov_deg"], result["protocol"]["heading"], result["protocol"]["seed"]) == (
        90.0, "unknown", 3,
    )  # fmt: skip
    assert "heading_error_deg_median" in result
    assert len((tmp_path / "saved" / "queries.csv").read_text().splitlines()) == 5
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err


def test_embedding_once_and_scoring_again_without_data_or_checkpoint(bundle, manifest, tmp_path, capsys):
    stored = str(tmp_path / "stored")
    command = ["evaluate", "--checkpoint", str(bundle), "--data", str(manifest), "--store", stored, "--json"]
    assert main([*command, "--store-as", "float16"]) == 0
    first = json.loads(capsys.readouterr().out)
    for path in (manifest, bundle):
        path.rename(path.with_name("gone"))
    assert main(["evaluate", "--from", stored, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    rules = ["--ties", "optimistic", "--one-percent", "floor+1", "--distractors", "drop"]
    assert main(["evaluate", "--from", stored, *rules, "--plot", str(tmp_path / "new" / "recall.png")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("tiny on data: 8 queries, gallery of 8 tiles")
    assert "ties optimistic" in out
    assert "dropped, 2 of 10 references" in out
    assert (tmp_path / "new" / "recall.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (["--from", "none"], 1, "none holds no embeddings"),
        (["--from", "none", "--fov-deg", "90", "--seed", "1"], 2, "--fov-deg, --seed cannot be given with --from"),
        (["--from", "none", "--checkpoint", "demo"], 2, "--checkpoint cannot be given with --from"),
        (["--data", "pairs.csv", "--from", "none"], 2, "give either --data"),
        ([], 2, "give either --data"),
        (["--data", "pairs.csv", "--store-as", "float16"], 2, "give --store FOLDER as well"),
        (["--data", "pairs.csv", "--plot", "recall.pdf"], 2, "ends in .png"),
        (["--data", "pairs.csv", "--within", "5", "0"], 2, "--within is ['5', '0']; give metres above 0"),
        (["--data", "pairs.csv", "--ties", "random"], 2, "give one of pessimistic, optimistic, average"),
        (["--data", "pairs.csv", "--store", "."], 1, ". exists already"),
        (["--data", "pairs.csv", "--store", "x", "--save", "./x"], 1, "--save is x, which --store x will have made"),
        (["--data", "pairs.csv", "--store", "x/y", "--save", "x"], 1, "--save is x, which --store x/y will have made"),
        (["--data", "pairs.csv", "--save", "x.png", "--plot", "x.png"], 1, "--plot is x.png, which --save x.png will"),
        (["--data", "pairs.csv", "--save", f"{__file__}/a/b"], 1, f"cannot be made, because {__file__} is a file"),
        (["--data", "pairs.csv", "--plot", f"{__file__}/p.png"], 1, f"cannot be made, because {__file__} is a file"),
        (["--data", "pairs.csv", "--checkpoint", ""], 1, "'' is no checkpoint bundle"),
        (["--data", "pairs.csv", "--device", "meta"], 1, "device 'meta' cannot be used here; choose auto, cpu"),
    ],
)
def test_a_way_to_evaluate_that_cannot_be_ends_with_one_line(options, code, reason, capsys):
    assert main(["evaluate", *options]) == code
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_a_radius_without_coordinates_is_refused_before_anything_is_embedded(bundle, manifest, tmp_path, capsys):
    command = ["evaluate", "--checkpoint", str(bundle), "--data", str(manifest), "--store", str(tmp_path / "stored")]
    assert main([*command, "--within", "5"]) == 1
    assert "lacks those of 10 of 10 references" in capsys.readouterr().err
    assert not (tmp_path / "stored").exists()


@pytest.mark.parametrize("fov", ["0", "-90", "361", "nan"])
def test_a_field_of_view_that_cannot_be_ends_with_one_line(manifest, capsys, fov):
    assert main(["evaluate", "--data", str(manifest), f"--fov-deg={fov}"]) == 2
    error = capsys.readouterr().err
    assert "give a field of view in (0, 360] degrees" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("count", ["-1", "many"])
def test_fewer_workers_than_none_is_a_wrong_argument(capsys, count):
    assert main(["evaluate", "--data", "pairs.csv", "--workers", count]) == 2
    assert f"--workers is {count!r}; give a whole number of at least 0" in capsys.readouterr().err
    assert main(["train", "--print-config", "--set", "data.workers=-1"]) == 1
    assert "data.workers is -1; give a whole number of at least 0" in capsys.readouterr().err


@pytest.mark.parametrize("side", ["pano3.png", "tile3.png"])
def test_a_broken_picture_ends_with_the_same_line_with_workers_as_without(bundle, manifest, capsys, side):
    (manifest.parent / side).write_bytes(b"no picture")
    command = ["evaluate", "--checkpoint", str(bundle), "--data", str(manifest), "--workers"]
    lines = []
    for workers in ("0", "1"):
        assert main([*command, workers]) == 1
        lines.append(capsys.readouterr().err)
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"error: {manifest.parent / side} is not a JPEG, PNG, WebP, TIFF")
    assert lines[0].count("\n") == 1


def test_a_benchmark_is_evaluated_by_name(bundle, tmp_path, capsys):
    data = f"cvusa:val?root={write_cvusa(tmp_path / 'cvusa')}"
    assert main(["evaluate", "--checkpoint", str(bundle), "--data", data, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["data"], result["queries"]) == ("cvusa:val", 2)
    assert result["distance_m_median"] is not None

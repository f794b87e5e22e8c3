"""`check-data`: what it prints and draws, and its exit code."""

import json
from dataclasses import replace

from model.__main__ import main
from model.data.benchmarks.benchmark import Split
from model.data.benchmarks.cvusa import CVUSA
from model.data.benchmarks.registry import BENCHMARKS
from tests.model.data.benchmarks.trees import write_cvusa


def test_checking_a_benchmark_prints_draws_and_tells_by_its_exit_code(tmp_path, capsys, monkeypatch):
    root = write_cvusa(tmp_path / "cvusa")
    as_small = replace(CVUSA, splits={"train": Split("to train on", 4, 4), "val": Split("to evaluate on", 2, 2)})
    monkeypatch.setitem(BENCHMARKS, "cvusa", as_small)
    command = ["check-data", "cvusa", "--root", str(root), "--pictures", "1"]
    assert main([*command, "--png", str(tmp_path / "sheet.png")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"cvusa at {root}\ntrain: to train on\n  listed: 4 queries, 4 references\n")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    (root / "bingmap/19/0000005.jpg").unlink()
    assert main([*command, "--json"]) == 1
    train, val = json.loads(capsys.readouterr().out)["splits"]
    assert (train["complete"], val["complete"], val["missing"], val["usable"]) == (True, False, 1, [1, 1])

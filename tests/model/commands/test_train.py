"""`train`: a run from a configuration to a bundle."""

import json

from model.__main__ import main


def test_training_then_evaluating_through_the_command_line(tmp_path, manifest, capsys):
    config = tmp_path / "run.json"
    config.write_text(json.dumps({
        "name": "mine",
        "model": {"backbone": "test_convnext", "levels": [1, 2], "dim": 16},
        "inputs": {"satellite_px": 32, "ground_height_px": 32, "ground_width_px": 64, "ground_vertical_deg": None},
        "data": {"train": str(manifest), "val": str(manifest), "workers": 0},
        "optim": {"steps": 2, "batch": 4, "warmup_steps": 1},
    }))  # fmt: skip
    assert (
        main(["train", "--config", str(config), "--out", str(tmp_path / "run"), "--device", "cpu", "--no-export"]) == 0
    )
    assert main(["evaluate", "--checkpoint", str(tmp_path / "run" / "bundle"), "--data", str(manifest), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["checkpoint"], result["queries"], result["gallery"]) == ("mine", 8, 10)
    assert (result["trained_on"], result["data"]) == (str(manifest), "data")
    assert {"recall@1", "recall@5", "recall@10", "recall@1%"} <= set(result)


def test_the_whole_configuration_can_be_printed_and_read_back(tmp_path, capsys):
    assert main(["train", "--print-config", "--set", "optim.lr=0.5"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["optim"]["lr"] == 0.5
    (tmp_path / "printed.json").write_text(printed)
    assert main(["train", "--print-config", "--config", str(tmp_path / "printed.json")]) == 0
    assert capsys.readouterr().out == printed

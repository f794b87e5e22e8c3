from model.__main__ import main
from model.network.bundle_files import read_bundle_info
from model.network.checkpoints import save_bundle
from tests.model.tiny import tiny_net


def test_an_average_is_a_bundle_of_its_own(tmp_path, capsys):
    for seed in range(2):
        save_bundle(tmp_path / f"b{seed}", tiny_net(seed=seed), name=f"b{seed}", provenance={}, metrics={"recall@1": 1})
    asked = [
        "--checkpoint",
        str(tmp_path / "b0"),
        "--checkpoint",
        str(tmp_path / "b1"),
        "--out",
        str(tmp_path / "mean"),
    ]
    assert main(["average", *asked, "--name", "mean"]) == 0
    assert "averaged 2 bundles" in capsys.readouterr().out
    info = read_bundle_info(tmp_path / "mean")
    assert (info.name, info.metrics) == ("mean", {})
    assert main(["average", *asked]) == 1
    assert "exists" in capsys.readouterr().err
    assert main(["average", *asked[:2], "--out", str(tmp_path / "one")]) == 1
    assert "takes two at least" in capsys.readouterr().err

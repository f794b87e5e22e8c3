import json

import pytest

from model.__main__ import main
from model.common.errors import BadCheckpoint, BadConfig, BadDataset
from model.network.checkpoints import load_bundle, save_bundle
from model.training.config import load_run
from model.training.fine_tuning import fine_tuning_tree
from model.training.run_log import read_log
from tests.model.tiny import tiny_net, write_pairs


@pytest.fixture
def city(tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    write_pairs(folder, 12).rename(folder / "train.csv")
    (folder / "val.csv").write_text((folder / "train.csv").read_text())
    return folder


@pytest.fixture
def bundle(tmp_path):
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={}, metrics={})
    return str(tmp_path / "b")


def test_network_inputs_and_data_follow_from_bundle_and_folder(bundle, city):
    run = load_run(None, base=fine_tuning_tree(bundle, city))
    net = load_bundle(bundle).net
    assert (run.model, run.inputs, run.pretrained) == (net.spec, net.inputs, f"bundle:{bundle}")
    assert (run.data.train, run.data.val) == (str(city / "train.csv"), str(city / "val.csv"))
    assert (run.optim.frozen_levels, run.optim.patience, run.optim.keep_best) == (1, 2, True)
    assert run.optim.ema == 0.97
    assert run.data.replay == "", "it has not seen the world, so there is nothing to replay"
    assert run.optim.batch == 9, "three quarters of the pairs that fit into one"


def test_the_demo_replays_its_world_slower_and_with_its_own_changes():
    tree = fine_tuning_tree("demo", None)
    before = load_bundle("demo").provenance["run"]
    assert tree["data"]["replay"] == "world:replay"
    assert tree["optim"]["lr"] == pytest.approx(before["optim"]["lr"] / 5)
    assert tree["data"]["augment"]["ground"] == before["data"]["augment"]["ground"]
    assert load_run(None, base=tree).inputs.anchors == 5


def test_no_more_pairs_of_the_world_are_replayed_than_fit_into_a_batch(tmp_path):
    lines = [f"q{number}.jpg,t{number}.jpg,{number / 100},8.5,0.5" for number in range(200)]
    for number in range(200):
        (tmp_path / f"q{number}.jpg").touch()
        (tmp_path / f"t{number}.jpg").touch()
    for name in ("train.csv", "val.csv"):
        (tmp_path / name).write_text("\n".join(["query,reference,lat,lon,reference_margin", *lines]))
    run = load_run(None, base=fine_tuning_tree("demo", tmp_path))
    assert run.data.replayed(run.optim.batch) == 48
    assert run.optim.batch == 96


def test_a_file_and_single_settings_go_before_what_follows_from_the_bundle(bundle, city, tmp_path):
    (tmp_path / "run.json").write_text('{"optim": {"steps": 7}, "name": "mine"}')
    run = load_run(tmp_path / "run.json", ["optim.lr=0.5"], base=fine_tuning_tree(bundle, city))
    assert (run.name, run.optim.steps, run.optim.lr, run.optim.patience) == ("mine", 7, 0.5, 2)


def test_the_demo_refuses_pairs_without_the_margin_that_its_anchors_need(city):
    with pytest.raises(BadDataset, match=r"margin of 0.0, and .* needs 0.25 around its anchors; make the pairs with"):
        fine_tuning_tree("demo", city)


def test_what_is_missing_is_told(bundle, city):
    with pytest.raises(BadCheckpoint, match="'nowhere' is no checkpoint bundle"):
        fine_tuning_tree("nowhere", city)
    (city / "val.csv").unlink()
    with pytest.raises(BadDataset, match=r"city has no val.csv; make the folder with `python -m indexer pairs`"):
        fine_tuning_tree(bundle, city)


def test_fine_tuning_through_the_command_line_stops_early_and_resumes_to_the_same(bundle, city, tmp_path):
    settings = "optim.steps=40 optim.eval_every=2 optim.patience=2 optim.lr=1e-9 optim.save_every=2 data.workers=0"
    sets = [part for one in settings.split() for part in ("--set", one)]
    command = [
        "train",
        "--init",
        bundle,
        "--data",
        str(city),
        "--out",
        str(tmp_path / "run"),
        "--device",
        "cpu",
        "--no-export",
        *sets,
    ]
    assert main(command) == 0
    evaluated = [int(row["step"]) for row in read_log(tmp_path / "run" / "log.csv") if row["recall@1"]]
    assert evaluated == [0, 2, 4], "a rate of nothing brings nothing, so two evaluations without a better one end it"
    spec = json.loads((tmp_path / "run" / "bundle" / "spec.json").read_text())
    assert (spec["provenance"]["steps"], spec["name"]) == (0, "tiny-tuned")
    (tmp_path / "run" / "bundle").rename(tmp_path / "first")
    assert main(command) == 0, "a run that gave up does not go on"
    assert [int(row["step"]) for row in read_log(tmp_path / "run" / "log.csv")][-1] == 4
    first, again = (
        load_bundle(folder).net.state_dict() for folder in (tmp_path / "first", tmp_path / "run" / "bundle")
    )
    assert all((first[name] == again[name]).all() for name in first)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("model.backbone=convnext_atto", "backbone test_convnext -> convnext_atto"),
        ("inputs.satellite_px=64", "satellite_px 32 -> 64"),
    ],
)
def test_another_network_than_the_bundles_is_refused_in_one_line(bundle, city, tmp_path, capsys, change, told):
    arguments = ["train", "--init", bundle, "--data", str(city), "--out", str(tmp_path / "run"), "--set", change]
    assert main([*arguments, "--device", "cpu"]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "give the run its model and inputs" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_folder_of_pairs_without_a_bundle_is_refused(city, capsys, tmp_path):
    assert main(["train", "--data", str(city), "--out", str(tmp_path / "run")]) == 1
    assert "belongs to --init BUNDLE" in capsys.readouterr().err


def test_the_ground_that_the_tiles_show_is_taken_from_the_folders_note(bundle, city):
    assert load_run(None, base=fine_tuning_tree(bundle, city)).data.tile_m == (0.0, 0.0)
    (city / "pairs.json").write_text('{"tile_m": 61.5}')
    assert load_run(None, base=fine_tuning_tree(bundle, city)).data.tile_m == (61.5, 61.5)
    (city / "pairs.json").write_text("[1]")
    with pytest.raises(BadDataset, match=r"pairs.json is damaged \(it holds a list"):
        fine_tuning_tree(bundle, city)


@pytest.mark.parametrize("value", ["80,60", "0,60", "-1,60"])
def test_impossible_ground_sizes_are_refused(bundle, city, value):
    with pytest.raises(BadConfig, match="tile_m"):
        load_run(None, [f"data.tile_m=[{value}]"], base=fine_tuning_tree(bundle, city))

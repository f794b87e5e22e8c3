"""Two real processes, started by torchrun, against one."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file

from model.common.errors import BadConfig
from model.data.manifest import read_manifest
from model.data.samplers import SamplerSpec
from model.training.checkpoint import newest_state
from model.training.distributed import ALONE, Processes, joined_processes
from model.training.run_log import read_log
from model.training.trainer import Trainer, train
from tests.model.gradients import batch_gradients, differing
from tests.model.tiny import tiny_run, write_pairs
from tests.torchrun import torchrun

SCRIPT = """
import sys
from safetensors.torch import save_file
from model.training.distributed import joined_processes
from tests.model.gradients import batch_gradients
with joined_processes("cpu") as (processes, _):
    for chunk in (0, 3):
        found = batch_gradients(processes, chunk=chunk, turned=1)
        save_file(found, f"{sys.argv[1]}/{processes.rank}-{chunk}.safetensors")
"""


def command(folder, run):
    """The arguments that train this run on pairs in a folder."""
    manifest = str(folder / "data" / "pairs.csv")
    config = folder / "run.json"
    config.write_text(json.dumps(asdict(replace(run, data=replace(run.data, train=manifest, val=manifest)))))
    return "-m", "model", "train", "--config", config, "--out", folder / "two", "--device", "cpu"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    write_pairs(tmp_path / "data")
    return tmp_path


def test_two_processes_find_the_loss_and_the_gradients_of_one_with_chunks_too(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = torchrun(script, tmp_path)
    assert done.returncode == 0, done.stderr
    alone = batch_gradients(turned=1)
    for chunk in (0, 3):
        first, second = (load_file(tmp_path / f"{rank}-{chunk}.safetensors") for rank in (0, 1))
        assert not differing(alone, first)
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_of_two_processes_ends_near_that_of_one(folder):
    run = tiny_run(lr=1e-4, ema=0.9, chunk=1)
    sampler = SamplerSpec("similarity", neighbours=2, every_epochs=2)
    run = replace(run, data=replace(run.data, sampler=sampler, cache=True))
    done = torchrun(*command(folder, run))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained: ") == 1
    pairs = read_manifest(folder / "data" / "pairs.csv")
    run = replace(run, optim=replace(run.optim, chunk=0))
    train(run, pairs, pairs, folder / "one", device="cpu")
    one, two = (losses(folder / name) for name in ("one", "two"))
    assert one == pytest.approx(two, abs=1e-4)
    assert len(one) == 6
    assert distance(folder, "one", "two") < 0.02 * distance(folder, "one", None)
    assert (folder / "two" / "bundle" / "weights.safetensors").is_file()


def losses(out):
    return [float(row["loss"]) for row in read_log(out / "log.csv") if row["loss"]]


def distance(folder, run, other):
    """Between the final weights of two runs, or of one and where it started."""
    start = {
        f"net.{name}": value for name, value in Trainer(tiny_run(), device=torch.device("cpu")).net.state_dict().items()
    }
    ends = [load_file(newest_state(folder / name)) if name else start for name in (run, other)]
    return torch.stack([(ends[0][name] - ends[1][name]).norm() for name in start]).norm()


def test_a_failure_of_one_process_ends_all_with_one_message(folder):
    (folder / "data" / "pano3.png").write_bytes(b"no picture")
    done = torchrun(*command(folder, tiny_run()))
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: {folder / 'data' / 'pano3.png'} is not a JPEG, PNG, WebP, TIFF, AVIF or HEIC that can be read "
        "(it looks like text); convert it"
    ]


def test_a_batch_that_the_processes_cannot_share_is_refused(folder):
    pairs = read_manifest(folder / "data" / "pairs.csv")
    with pytest.raises(BadConfig, match=r"optim\.batch is 4 and there are 3 processes.*give a multiple of 3"):
        train(tiny_run(), pairs, pairs, folder / "run", device="cpu", processes=Processes(0, 3))
    assert not (folder / "run").exists()


def test_every_process_takes_its_own_slice():
    assert [Processes(rank, 3).own_slice([7, 8, 9, 4, 5, 6]) for rank in range(3)] == [[7, 8], [9, 4], [5, 6]]
    assert ALONE.own_slice([7, 8]) == [7, 8]


def test_without_torchrun_a_process_is_alone_and_half_its_environment_is_an_error(monkeypatch):
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with joined_processes("cpu") as (processes, device):
        assert (processes, device) == (ALONE, torch.device("cpu"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BadConfig, match=r"WORLD_SIZE is '2'.*start them with torchrun"), joined_processes("cpu"):
        pass

"""`python -m service` as a process: start, answer, stop, and refusals of one clear line."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import torch

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from model.inputs.transforms import InputSpec
from model.network.checkpoints import save_bundle
from model.network.clnet import CLNet, CLNetSpec
from model.network.encoder import Encoder
from tests.service.pictures import encoded, panorama_of

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60
HEAVY = ("torch", "faiss", "fastapi", "uvicorn", "pydantic", "numpy")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A small untrained network as a real checkpoint."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    inputs = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=128)
    save_bundle(folder, CLNet(CLNetSpec(), inputs), name="tiny", provenance={}, metrics={})
    return folder


@pytest.fixture(scope="module")
def index(bundle, tile_folder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("process") / "index"
    source = open_source(tile_folder)
    build_index(source, Encoder.load(bundle, device="cpu"), out)
    source.close()
    return out


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLNET_")}
    return kept | {"PYTHONPATH": str(_ROOT), "CUDA_VISIBLE_DEVICES": ""}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def service(*arguments: str):
    """A running service that is ready; killed at the end if it still lives."""
    port = free_port()
    command = [sys.executable, "-m", "service", *arguments, "--port", str(port)]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            _wait_until_ready(client, process)
            yield process, client
    finally:
        process.kill()
        process.communicate()


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"the service did not become ready: {process.communicate()[1]}")


def refuse(*arguments: str, code: int = 1) -> str:
    """The last line on stderr of a start that must fail."""
    command = [sys.executable, "-m", "service", *arguments, "--port", str(free_port())]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_service_starts_answers_outlives_clients_that_leave_and_stops(index, bundle):
    with service("--index", str(index), "--checkpoint", str(bundle), "--workers", "1") as (process, client):
        assert client.get("/healthz").status_code == 200
        answer = client.post("/localize", files={"panorama": encoded(panorama_of(6))}).json()
        assert answer["model"]["name"] == "tiny"
        assert len(answer["matches"]) == 5
        assert client.get("/").headers["content-type"].startswith("text/html")
        for _ in range(3):
            _ask_and_leave(client)
        assert client.post("/localize", files={"panorama": encoded(panorama_of(6))}, timeout=30).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)


def test_a_stop_while_the_index_is_made_is_no_failure_where_signals_do_not_end_the_process(tmp_path):
    """As for the first process of a container."""
    command = [sys.executable, "-m", "service", "up", "--data", str(tmp_path), "--port", str(free_port())]
    ignoring = ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh", *command]
    with subprocess.Popen(ignoring, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        seen = next(line for line in process.stderr if "running: python -m model render region" in line)
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=_PATIENCE_S)[1]
    assert process.returncode == 0, seen + rest
    assert "Traceback" not in rest


def _ask_and_leave(client):
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            "/localize",
            files={"panorama": encoded(panorama_of(6))},
            data={"heading_deg": "unknown"},
            timeout=httpx.Timeout(5, read=0.001),
        )


def test_missing_index_is_refused_in_one_line(tmp_path, bundle):
    line = refuse("--index", str(tmp_path / "nowhere"), "--checkpoint", str(bundle))
    assert line.startswith("error: ")
    assert "there is no index folder" in line


def test_a_wrong_index_is_named_before_anything_is_begun(tmp_path):
    """Even where the port is taken and the checkpoint is none: neither is looked at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = [sys.executable, "-m", "service", "--index", str(tmp_path), "--checkpoint", "none", "--port", port]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "manifest.json is missing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_index_of_another_encoder_is_refused_in_one_line(index_folder, bundle):
    line = refuse("--index", str(index_folder), "--checkpoint", str(bundle))
    assert line.startswith("error: index ")
    assert "Rebuild it" in line


def test_missing_setting_is_refused_in_one_line():
    assert refuse(code=2) == "error: --index is missing; give it, or set CLNET_INDEX"


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"]])
def test_help_names_every_setting_and_loads_nothing_heavy(arguments):
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['service', *{arguments}]\n"
        "try: runpy.run_module('service', run_name='__main__')\n"
        f"finally: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
    assert "CLNET_PORT" in done.stdout


def test_importing_the_package_loads_no_framework():
    script = "import service, sys; assert not {'torch', 'faiss', 'fastapi', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True, timeout=60)

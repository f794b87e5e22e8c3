"""`up` makes what is missing, once, and never mixes up two corpora."""

import json
import threading
import time

import pytest

from indexer.confidence.storage import FORMAT_VERSION
from model.common.errors import BadConfig
from model.network.bundle_files import bundle_digest
from model.network.checkpoints import save_bundle
from model.synthetic.pair_set import WORLD_VERSION
from model.synthetic.tile_region import REGION_VERSION
from service.first_start.preparation import Preparation, StepFailed, discard_stale_demo, index_folder, plan
from service.settings import UpSettings
from tests.model.tiny import tiny_net


class Step:
    """A process that ends with a status, or waits to be terminated."""

    def __init__(self, status):
        self._status, self._terminated = status, threading.Event()

    def wait(self):
        return self._status if self._status is not None or not self._terminated.wait(10) else -15

    def terminate(self):
        self._terminated.set()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def tiles(tmp_path):
    folder = tmp_path / "my-tiles"
    (folder / "18").mkdir(parents=True)
    return folder


def finish(settings):
    folder = index_folder(settings)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "calibration.json").write_text("{}")


def test_nothing_there_renders_the_demo_region_indexes_it_and_calibrates_on_photos_from_inside_and_outside(data):
    render, elsewhere, build, calibrate = plan(UpSettings(data=data))
    assert render[:3] == elsewhere[:3] == ["model", "render", "region"]
    assert build[:2] == ["indexer", "build"]
    assert calibrate[:2] == ["indexer", "calibrate"]
    folders = [command[command.index("--out") + 1] for command in (render, elsewhere)]
    first = calibrate.index("--queries") + 1
    assert calibrate[first : first + 2] == [f"{folder}/calibration.csv" for folder in folders]
    rendered = render[render.index("--out") + 1]
    assert build[build.index("--tiles") + 1] == f"{rendered}/tiles"


def test_rendered_region_is_not_rendered_again(data):
    for name in ("region", "elsewhere"):
        (data / "demo" / name).mkdir(parents=True)
        (data / "demo" / name / "calibration.csv").touch()
    assert [command[:2] for command in plan(UpSettings(data=data))] == [["indexer", "build"], ["indexer", "calibrate"]]


def test_a_region_too_small_to_calibrate_on_is_not(data):
    assert [command[1] for command in plan(UpSettings(data=data, demo_side=8))] == ["render", "build"]


def test_a_region_that_was_made_too_small_is_served_without_a_confidence_at_every_later_start(data):
    (data / "demo" / "region").mkdir(parents=True)
    assert [command[:2] for command in plan(UpSettings(data=data))] == [["indexer", "build"]]
    index_folder(UpSettings(data=data)).mkdir()
    (index_folder(UpSettings(data=data)) / "manifest.json").write_text("{}")
    assert plan(UpSettings(data=data)) == []


NOW = {"version": WORLD_VERSION, "region_version": REGION_VERSION}


@pytest.mark.parametrize("name", ["region", "elsewhere"])
@pytest.mark.parametrize("drawn", [NOW | {"version": 1}, NOW | {"region_version": 1}, {"version": WORLD_VERSION}])
def test_what_another_version_of_the_world_or_of_regions_drew_is_made_again(data, name, drawn):
    for folder in ("region", "elsewhere", "index"):
        (data / "demo" / folder).mkdir(parents=True)
    (data / "demo" / name / "world.json").write_text(json.dumps(drawn))
    discard_stale_demo(UpSettings(data=data))
    assert not (data / "demo").exists()


def test_what_this_version_of_the_world_drew_is_kept(data):
    (data / "demo" / "region").mkdir(parents=True)
    (data / "demo" / "region" / "world.json").write_text(json.dumps(NOW | {"synthetic": True}))
    discard_stale_demo(UpSettings(data=data))
    assert (data / "demo" / "region").is_dir()


def test_a_calibration_that_fails_does_not_keep_the_service_from_starting(data, caplog):
    statuses = {"calibrate": 1}

    class Done:
        def __init__(self, command):
            self.status = statuses.get(command[1], 0)

        def wait(self):
            return self.status

        def terminate(self):
            pass

    Preparation(UpSettings(data=data), start=Done).run()
    assert "without a confidence" in caplog.text


@pytest.mark.parametrize("same", [True, False])
def test_the_demos_index_is_made_again_only_for_another_checkpoint(data, tmp_path, same):
    save_bundle(tmp_path / "bundle", tiny_net(), name="tiny", provenance={}, metrics={})
    settings = UpSettings(data=data, checkpoint=str(tmp_path / "bundle"))
    finish(settings)
    digest = bundle_digest(tmp_path / "bundle") if same else "0" * 64
    (index_folder(settings) / "manifest.json").write_text(json.dumps({"encoder": {"digest": digest}}))
    discard_stale_demo(settings)
    assert index_folder(settings).is_dir() == same


@pytest.mark.parametrize(("version", "kept"), [(FORMAT_VERSION, True), (FORMAT_VERSION - 1, False)])
def test_the_demos_calibration_is_made_again_for_another_format(data, version, kept):
    settings = UpSettings(data=data)
    finish(settings)
    calibration = index_folder(settings) / "calibration.json"
    manifest = {"encoder": {"digest": bundle_digest(settings.checkpoint)}}
    (index_folder(settings) / "manifest.json").write_text(json.dumps(manifest))
    calibration.write_text(json.dumps({"version": version}))
    discard_stale_demo(settings)
    assert calibration.exists() == kept


def test_nobodys_own_index_is_ever_discarded(data, tiles):
    settings = UpSettings(data=data, tiles=tiles)
    finish(settings)
    (index_folder(settings) / "manifest.json").write_text(json.dumps({"encoder": {"digest": "0" * 64}}))
    discard_stale_demo(settings)
    assert index_folder(settings).is_dir()


def test_index_that_is_there_is_used(data):
    settings = UpSettings(data=data)
    finish(settings)
    assert plan(settings) == []
    Preparation(settings, start=lambda _: pytest.fail("nothing to run")).run()


def test_given_tiles_are_indexed_instead_even_after_the_demo(data, tiles):
    finish(UpSettings(data=data))
    (build,) = plan(UpSettings(data=data, tiles=tiles, zoom=18))
    assert build[build.index("--tiles") + 1] == str(tiles)
    assert build[build.index("--zoom") + 1] == "18"


def test_given_tiles_are_indexed_once(data, tiles):
    settings = UpSettings(data=data, tiles=tiles)
    commands = []

    def start(command):
        commands.append(command)
        finish(settings)
        return Step(0)

    Preparation(settings, start=start).run()
    Preparation(settings, start=start).run()
    assert len(commands) == 1


def test_different_tiles_have_different_indexes(data, tiles):
    same_mount = [UpSettings(data=data, tiles=tiles, tiles_name=name) for name in ("./a", "./b")]
    assert len({index_folder(settings) for settings in same_mount}) == 2


def test_step_that_fails_stops_with_the_command(data, tiles):
    with pytest.raises(StepFailed, match="indexer build"):
        Preparation(UpSettings(data=data, tiles=tiles), start=lambda _: Step(1)).run()


def test_stop_ends_the_running_step_and_begins_no_other(data):
    steps = []

    def start(_):
        steps.append(Step(None))
        return steps[-1]

    preparation = Preparation(UpSettings(data=data), start=start)
    running = threading.Thread(target=lambda: _fails(preparation))
    running.start()
    while not steps:
        time.sleep(0.001)
    assert "model render region" in preparation.stage
    preparation.stop()
    running.join(10)
    assert len(steps) == 1


def _fails(preparation):
    with pytest.raises(StepFailed, match="was stopped; start again"):
        preparation.run()


def test_missing_tiles_are_an_error_and_not_the_demo(data, tmp_path):
    with pytest.raises(BadConfig, match="does not exist"):
        plan(UpSettings(data=data, tiles=tmp_path / "nowhere"))


def test_empty_tiles_folder_is_an_error_and_not_the_demo(data, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadConfig, match="empty"):
        plan(UpSettings(data=data, tiles=tmp_path / "empty"))

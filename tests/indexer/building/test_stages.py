import time

import pytest

from indexer.building.stages import BuildStages, StageClock


@pytest.mark.parametrize(
    ("stages", "slowest"),
    [
        (BuildStages(wall=10, forward=8, waiting=1, writing=1), "the network"),
        (BuildStages(wall=10, forward=2, waiting=7, reading=3, decoding=12), "decoding"),
        (BuildStages(wall=10, forward=2, waiting=7, reading=13, decoding=12), "reading"),
        (BuildStages(wall=10, forward=2, waiting=1, writing=6), "writing"),
    ],
)
def test_the_slowest_stage_is_named(stages: BuildStages, slowest: str) -> None:
    assert stages.bottleneck == slowest
    assert str(stages).endswith(f"the slowest is {slowest}")
    assert f"network {stages.forward / 10:.0%}" in stages.shares


def test_a_clock_adds_up() -> None:
    clock = StageClock(workers=3)
    clock.add("decoding", 1.5)
    clock.add("decoding", 0.5)
    with clock.timed("forward"):
        time.sleep(0.01)
    read = clock.read()
    assert (read.decoding, read.workers) == (2.0, 3)
    assert 0.01 <= read.forward <= read.wall

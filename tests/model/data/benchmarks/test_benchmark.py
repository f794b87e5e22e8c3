"""What every benchmark states of itself holds together, since messages and listings are made from it."""

import pytest

from model.data.benchmarks.registry import BENCHMARKS


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=lambda benchmark: benchmark.name)
def test_what_a_benchmark_states_holds_together(benchmark):
    assert benchmark.splits
    assert benchmark.markers
    assert benchmark.satellite_px > 0
    for name, split in benchmark.splits.items():
        assert name == name.strip().lower()
        assert split.summary
        assert min(split.queries, split.references) >= 0
    for values in benchmark.options.values():
        assert len(set(values)) == len(values) >= 1
    for trap in benchmark.traps:
        assert trap.strip() == trap

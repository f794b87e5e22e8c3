from pathlib import Path

import numpy as np
import pytest

from indexer.building.shards import ShardReport, open_work
from indexer.common.errors import BuildConflict

IDENTITY = {"encoder": "abc", "batch_size": 4}
VECTORS = np.eye(3, dtype=np.float16)
REPORT = ShardReport(rows=[0, 1, 3], skipped=[4], failures=[(2, "broken")], sizes={"8 x 8": 3})


def test_a_stored_shard_is_found_again(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        work.write(7, VECTORS, REPORT)
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        report = work.report(7)
        assert report is not None
        assert (report.rows, report.skipped, report.failures) == (REPORT.rows, REPORT.skipped, REPORT.failures)
        assert np.array_equal(work.vectors(7), VECTORS)
        assert work.report(6) is None


def test_a_shard_without_its_report_or_with_other_vectors_is_not_done(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        for shard in (0, 1, 2):
            work.write(shard, VECTORS, REPORT)
        (work.path / "shard-000000.json").unlink()
        (work.path / "shard-000001.npy").write_bytes(b"torn")
        (work.path / "shard-000002.json").write_text("{}")
        assert [work.report(shard) for shard in (0, 1, 2)] == [None, None, None]


def test_two_builds_of_one_output_exclude_each_other(tmp_path: Path) -> None:
    with (
        open_work(tmp_path / "index", IDENTITY, restart=False),
        pytest.raises(BuildConflict, match="another build is writing"),
        open_work(tmp_path / "index", IDENTITY, restart=False),
    ):
        pass


def test_another_identity_is_refused_with_what_differs_unless_restarted(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        work.write(0, VECTORS, REPORT)
    other = IDENTITY | {"batch_size": 8}
    with (
        pytest.raises(BuildConflict, match=r"\(batch_size: 4 -> 8\)"),
        open_work(tmp_path / "index", other, restart=False),
    ):
        pass
    with open_work(tmp_path / "index", other, restart=True) as work:
        assert work.report(0) is None

from pathlib import Path

import numpy as np
import pytest

from indexer.building.shards import ShardReport, WorkFolder, open_work
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
        assert np.array_equal(work.vectors(7, 3), VECTORS)
        assert work.report(6) is None


def report_of(work: WorkFolder, shard: int) -> ShardReport:
    report = work.report(shard)
    assert report is not None
    return report


def test_vectors_become_those_of_the_index_without_a_copy_and_are_found_again_there(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        for shard in range(3):
            work.write(shard, VECTORS * shard, REPORT)
        inode = (work.path / "vectors").stat().st_ino
        work.final.mkdir()
        work.gather(work.final, [3, 3, 3], 3)
        assert (work.final / "embeddings.npy").stat().st_ino == inode
        assert not (work.path / "vectors").exists()
        stored = np.load(work.final / "embeddings.npy")
        assert np.array_equal(stored, np.concatenate([VECTORS * shard for shard in range(3)]))
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        assert [report_of(work, shard).rows for shard in range(3)] == [REPORT.rows] * 3


def test_shards_out_of_order_or_of_another_size_are_put_in_order(tmp_path: Path) -> None:
    def rows(count: int, value: int) -> np.ndarray:
        return np.full((count, 2), value, np.float16)

    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        work.write(1, rows(2, 1), ShardReport(rows=[0, 1]))
        work.write(0, rows(2, 0), ShardReport(rows=[0, 1]))
        work.write(2, rows(0, 0), ShardReport(rows=[]))
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        assert all(work.report(shard) for shard in range(3))
        work.write(1, rows(3, 5), ShardReport(rows=[0, 1, 2]))  # it has grown, so it no longer fits where it was
        assert report_of(work, 0).rows == [0, 1]
        work.final.mkdir()
        work.gather(work.final, [2, 3, 0], 2)
        expected = np.concatenate([rows(2, 0), rows(3, 5)])
        assert np.array_equal(np.load(work.final / "embeddings.npy"), expected)


def test_shards_of_many_writers_lie_apart_and_come_together(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        for shard in (2, 0):
            WorkFolder(work.path).write(shard, VECTORS * shard, REPORT, apart=True)
        assert work.report(1) is None
        assert report_of(work, 0).offset == report_of(work, 2).offset == 0
        work.write(1, VECTORS, REPORT)
        work.final.mkdir()
        work.gather(work.final, [3, 3, 3], 3)
        stored = np.load(work.final / "embeddings.npy")
        assert np.array_equal(stored, np.concatenate([VECTORS * shard for shard in range(3)]))


def test_a_shard_without_its_report_or_with_other_vectors_is_not_done(tmp_path: Path) -> None:
    with open_work(tmp_path / "index", IDENTITY, restart=False) as work:
        for shard in (0, 1, 2):
            work.write(shard, VECTORS, REPORT)
        (work.path / "shard-000000.json").unlink()
        with (work.path / "vectors").open("r+b") as file:
            file.seek(report_of(work, 1).offset)
            file.write(b"torn")
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

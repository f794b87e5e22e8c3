import errno
import io
import json
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import BuildConflict, DiskFull, EncoderFault, NothingUsable, TooManyFailures
from indexer.index.search_spec import SearchSpec
from indexer.index.segment_writer import VECTORS_AT, MadeBy, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from model.common.errors import OutputExists
from tests.fakes import FakeEncoder
from tests.indexer.index.test_exact_search import unit
from tests.indexer.tiny import LEFT, TOP, build_tiny, encoded, files_of, make_tiles, picture, table_of_boxes, vector_of

SMALL = BuildSpec(batch_size=4, shard_tiles=5, workers=2)


def test_the_summary_counts_and_the_work_folder_is_gone(tmp_path: Path) -> None:
    progress: list[int] = []
    summary = build_index(
        open_source(make_tiles(tmp_path / "tiles")), FakeEncoder(), tmp_path / "index", spec=SMALL,
        on_progress=progress.append,
    )  # fmt: skip
    assert (summary.embedded, summary.skipped, summary.failed, summary.resumed) == (12, 0, 0, 0)
    assert sum(progress) == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "tiles"]
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == [
        "embeddings.npy", "manifest.json", "stamps.bin", "tiles.parquet",
    ]  # fmt: skip


def png(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_bomb() -> bytes:
    """A PNG that declares 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_bad_files_among_good_ones_are_counted_and_named_and_the_build_goes_on(tmp_path: Path) -> None:
    folder = make_tiles(tmp_path / "tiles", 4, 3) / "15" / str(LEFT)
    bad = {
        "truncated.jpg": encoded(1, 200, "JPEG")[:1500],
        "empty.png": b"",
        "text.jpg": b"this is no picture at all",
        "bomb.png": png_bomb(),
        "gif.png": png(picture(3), "GIF"),
    }
    for number, data in enumerate(bad.values()):
        (folder / f"{TOP + 100 + number}.png").write_bytes(data)
    spec = replace(SMALL, max_failed=0.5)
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=spec)
    assert (summary.embedded, summary.failed) == (12, 5)
    reasons = dict(summary.reasons)
    for number, reason in enumerate(("cannot be decoded", "is empty", "not a JPEG", "pixels", "not a JPEG")):
        assert reason in reasons[f"15/{LEFT}/{TOP + 100 + number}"]
    assert TileIndex.open(tmp_path / "index").segments[0].manifest.tiles == {
        "listed": 17, "embedded": 12, "skipped": 0, "failed": 5, "equal": 0,
    }  # fmt: skip


def test_unusual_pictures_are_embedded(tmp_path: Path) -> None:
    folder = tmp_path / "tiles" / "15" / str(LEFT)
    folder.mkdir(parents=True)
    rgb = picture(1)
    grey16 = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 6
    unusual = [
        png(rgb.convert("CMYK"), "JPEG"),
        png(grey16),
        png(rgb.quantize(8)),
        png(rgb, "WEBP", save_all=True, append_images=[picture(2)]),
        png(rgb.rotate(90, expand=True), "JPEG", exif=turned, quality=95),
        png(rgb.convert("1")),
    ]
    for number, data in enumerate(unusual):
        (folder / f"{TOP + number}.png").write_bytes(data)
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert (summary.embedded, summary.failed) == (len(unusual), 0)
    index = TileIndex.open(tmp_path / "index")
    vectors = {index.tile(row).y: index.vector(row)[0].astype(np.float32) for row in range(index.count)}
    for number in (3, 4):  # the animation's first frame, and the photo turned upright
        assert (vectors[TOP + number] * vector_of(1)[0]).sum() > 0.99


def test_transparent_tiles_are_skipped(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 1, 2)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").write_bytes(png(Image.new("RGBA", (64, 64), (9, 9, 9, 0))))
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert (summary.embedded, summary.skipped, summary.failed) == (1, 1, 0)


def test_mixed_tile_sizes_are_a_warning(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 2, 2)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP}.png").write_bytes(encoded(0, 96))
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert summary.embedded == 4
    assert "2 different sizes in pixels: 48 x 48 (3), 96 x 96 (1)" in summary.notes[-1]


def test_zero_usable_tiles_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "tiles" / "15" / str(LEFT)
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(b"no picture")
    with pytest.raises(NothingUsable, match=r"none of 1 tile could.*1 failed.*not a JPEG"):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]


def test_a_source_with_too_many_unreadable_tiles_is_no_index_until_that_is_accepted(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 4, 3)
    for number in range(6):
        (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP + 100 + number}.png").write_bytes(b"no picture")
    source, out = open_source(tmp_path / "tiles"), tmp_path / "index"
    with pytest.raises(TooManyFailures, match=r"6 of 18 tiles \(33%\).*--max-failed 0.34.*not a JPEG"):
        build_index(source, FakeEncoder(), out, spec=SMALL)
    assert not out.exists()
    summary = build_index(source, FakeEncoder(), out, spec=replace(SMALL, max_failed=0.34))
    assert (summary.embedded, summary.failed, summary.resumed) == (12, 6, 18)
    assert TileIndex.open(out).count == 12


def test_an_output_that_exists_is_left_alone(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles"))
    (tmp_path / "index").mkdir()
    with pytest.raises(OutputExists, match="exists already"):
        build_index(source, FakeEncoder(), tmp_path / "index")
    assert list((tmp_path / "index").iterdir()) == []


class Interrupted(Exception):
    """Stands for the end of the process."""


class DyingEncoder(FakeEncoder):
    """Works for some batches, then ends the build."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def encode_satellite(self, pixels: np.ndarray) -> np.ndarray:
        if self._left == 0:
            raise Interrupted
        self._left -= 1
        return super().encode_satellite(pixels)


@pytest.mark.parametrize("batches", [0, 1, 2, 3, 5, 7])
def test_a_build_resumes_to_the_same_bytes(tmp_path: Path, batches: int) -> None:
    make_tiles(tmp_path / "tiles", 6, 4)
    (tmp_path / "tiles" / "15" / str(LEFT) / f"{TOP + 1}.png").write_bytes(b"broken")
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "whole", spec=SMALL)
    with pytest.raises(Interrupted):
        build_index(open_source(tmp_path / "tiles"), DyingEncoder(batches), tmp_path / "index", spec=SMALL)
    assert not (tmp_path / "index").exists()
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=SMALL)
    assert summary.resumed in (5 * (batches // 2), 5 * (batches // 2) + 5)  # two batches a shard, but for one
    assert files_of(tmp_path / "index") == files_of(tmp_path / "whole")
    assert not (tmp_path / ".index.partial").exists()


def interrupted_build(root: Path) -> None:
    with pytest.raises(Interrupted):
        build_index(open_source(root / "tiles"), DyingEncoder(4), root / "index", spec=SMALL)


def test_other_tiles_refuse_to_resume_and_restart_discards(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles")
    interrupted_build(tmp_path)
    for path in (tmp_path / "tiles").rglob("*.png"):
        path.write_bytes(encoded(77, 64))
    with pytest.raises(BuildConflict, match=r"holds an unfinished build .*--restart"):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=SMALL)
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=SMALL, restart=True)
    assert (summary.embedded, summary.resumed) == (12, 0)


def test_a_changed_specification_or_encoder_refuses_to_resume(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles")
    interrupted_build(tmp_path)
    with pytest.raises(BuildConflict, match="batch_size: 4 -> 8"):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=BuildSpec(8, 5, workers=2))
    with pytest.raises(BuildConflict, match="encoder: "):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder("other"), tmp_path / "index", spec=SMALL)


def test_a_damaged_shard_is_made_again(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles")
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "whole", spec=SMALL)
    interrupted_build(tmp_path)
    with (tmp_path / ".index.partial" / "vectors").open("r+b") as vectors:
        vectors.seek(VECTORS_AT)
        vectors.write(b"\1")
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=SMALL)
    assert files_of(tmp_path / "index") == files_of(tmp_path / "whole")


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 8, 8)
    for workers in (1, 5):
        spec = BuildSpec(batch_size=4, shard_tiles=5, workers=workers)
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / f"index-{workers}", spec=spec)
    assert files_of(tmp_path / "index-1") == files_of(tmp_path / "index-5")


def test_a_broken_encoder_is_named(tmp_path: Path) -> None:
    class Broken(FakeEncoder):
        def encode_satellite(self, pixels: np.ndarray) -> np.ndarray:
            return np.full((len(pixels), self.dim), np.nan, np.float32)

    with pytest.raises(EncoderFault, match="unit vectors"):
        build_index(open_source(make_tiles(tmp_path / "tiles")), Broken(), tmp_path / "index")
    assert not (tmp_path / "index").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB, where the machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_named_and_the_build_resumes_when_there_is_room(tmp_path: Path, tiny_disk: Path) -> None:
    make_tiles(tmp_path / "tiles", 10, 10)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 225_000)
    spec = BuildSpec(batch_size=16, shard_tiles=16)
    with pytest.raises(DiskFull, match=r"no room left.*resumes from"):
        build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tiny_disk / "index", spec=spec)
    assert not (tiny_disk / "index").exists()
    ballast.unlink()
    summary = build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tiny_disk / "index", spec=spec)
    assert summary.embedded == 100
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "whole", spec=spec)
    index, whole = files_of(tiny_disk / "index"), files_of(tmp_path / "whole")
    assert index["embeddings.npy"] == whole["embeddings.npy"]


@pytest.mark.parametrize("failing", ["index.segment_writer.write_tiles", "building.shards.vectors_header"])
def test_a_disk_that_fills_while_the_folder_is_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    make_tiles(tmp_path / "tiles")
    with monkeypatch.context() as patched:
        patched.setattr(f"indexer.{failing}", full)
        with pytest.raises(DiskFull, match="No space left on device"):
            build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index")
    assert not (tmp_path / "index").exists()
    assert build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index").resumed == 12


def test_large_corpora_get_an_approximate_index_whose_scores_are_exact(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles", 20, 20)
    spec = BuildSpec(search=SearchSpec(latency_ms=0))
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "index", spec=spec)
    index = TileIndex.open(tmp_path / "index", verify=True)
    (result,) = index.search(vector_of(123), top_k=3)
    assert not result.exact
    assert index.tile(int(result.rows[0])).tile_id == f"15/{LEFT + 6}/{TOP + 3}"
    assert result.scores[0] == pytest.approx(float(index.vector(result.rows[0])[0].astype(float) @ vector_of(123)[0]))


def test_the_manifest_says_what_lies_in_the_folder(tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", unit(2, FakeEncoder().dim).astype(np.float16))
    tiles = table_of_boxes([8.0, 8.001], [47.0, 47.0], [8.002, 8.003], [47.001, 47.001])
    source = {"kind": "list", "path": "x"}
    manifest = finish_segment(
        tmp_path, tiles, MadeBy.of(FakeEncoder()), search=SearchSpec(), source=source, counts={"listed": 2}
    )
    assert (manifest.count, manifest.dim) == (2, 27)
    assert manifest.bounds.as_tuple() == (8.0, 47.0, 8.003, 47.001)
    assert manifest.tile_size_m == (151.67, 111.2)
    assert sorted(manifest.files) == ["embeddings.npy", "tiles.parquet"]
    assert TileIndex.open(tmp_path, verify=True).segments[0].manifest == manifest


def test_the_manifest_holds_nothing_of_time_or_place(tmp_path: Path) -> None:
    manifests = [build_tiny(tmp_path / name).folder / "manifest.json" for name in ("here", "there")]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()
    assert str(tmp_path) not in json.dumps(json.loads(manifests[0].read_text()))

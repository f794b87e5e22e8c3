"""`python -m benchmarks.decode_costs`: seconds of CPU and bytes of memory that a pixel of each format costs to prepare.

Each picture is prepared for the demo encoder in a process of its own: its header read, decoded, laid on the canvas.
Noise is what decoders find hardest; flat pictures are what cost most for each byte sent.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from benchmarks.record import write_record

_WIDTH, _HEIGHT = 2048, 1024
ImageFile.MAXBLOCK = 1 << 26  # a progressive JPEG of noise is written at once


def main() -> int:
    """Prepare each picture and write a record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode_costs", description=__doc__)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().worker:
        print(json.dumps(_prepare(sys.stdin.buffer.read())))
        return 0
    idle = _spawn(_encoded(Image.new("RGB", (64, 32)), "PNG"))
    rows = [_measure(name, make, idle) for name, make in _PICTURES.items()]
    print(write_record("decode-costs", {"pixels": _WIDTH * _HEIGHT, "pictures": rows}))
    return 0


def _measure(name: str, make: Callable[[], bytes], idle: dict[str, float]) -> dict[str, Any]:
    data = make()
    used = _spawn(data)
    pixels = _WIDTH * _HEIGHT
    row = {
        "picture": name,
        "bytes": len(data),
        "ns_per_pixel": round(1e9 * used["cpu_s"] / pixels, 1),
        "memory_bytes_per_pixel": round((used["peak_bytes"] - idle["peak_bytes"] - len(data)) / pixels, 1),
    }
    print(row, flush=True)
    return row


def _spawn(data: bytes) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.decode_costs", "--worker"]
    done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise SystemExit(done.stderr.decode().splitlines()[-1])
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _prepare(data: bytes) -> dict[str, float]:
    from indexer.localization.preparing import prepare_photo
    from model.inputs.photo_view import GivenView
    from model.inputs.transforms import InputSpec

    inputs = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=128)
    began = time.process_time()
    prepare_photo(data, inputs, GivenView(heading_deg=0.0, fov_deg=360.0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"cpu_s": time.process_time() - began, "peak_bytes": peak}


def _noise(channels: int) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (_HEIGHT, _WIDTH, channels), np.uint8)
    return Image.fromarray(pixels)


def _flat(mode: str) -> Image.Image:
    return Image.new(mode, (_WIDTH, _HEIGHT), (90, 120, 60, 128)[: len(mode)])


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    if form == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _deep_png() -> bytes:
    import struct
    import zlib

    rows = np.random.default_rng(1).integers(0, 256, (_HEIGHT, 1 + _WIDTH * 8), np.uint8)
    rows[:, 0] = 0

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 16, 6, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows.tobytes(), 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


_PICTURES: dict[str, Callable[[], bytes]] = {
    "JPEG, noise, quality 100": lambda: _encoded(_noise(3), "JPEG", quality=100, subsampling=0),
    "JPEG, noise, progressive": lambda: _encoded(_noise(3), "JPEG", quality=95, subsampling=0, progressive=True),
    "JPEG, flat, progressive": lambda: _encoded(_flat("RGB"), "JPEG", progressive=True),
    "JPEG, flat, CMYK": lambda: _encoded(_flat("CMYK"), "JPEG", quality=95),
    "PNG, noise, RGBA": lambda: _encoded(_noise(4), "PNG", compress_level=1),
    "PNG, noise, RGBA of 16 bits": _deep_png,
    "PNG, flat, RGBA": lambda: _encoded(_flat("RGBA"), "PNG"),
    "WebP, noise, lossy, RGBA": lambda: _encoded(_noise(4), "WEBP", quality=100, method=0),
    "WebP, noise, lossless, RGBA": lambda: _encoded(_noise(4), "WEBP", lossless=True, method=0, quality=0),
    "WebP, flat, lossless, RGBA": lambda: _encoded(_flat("RGBA"), "WEBP", lossless=True, method=0),
    "TIFF, noise, LZW, RGBA": lambda: _encoded(_noise(4), "TIFF", compression="tiff_lzw"),
    "TIFF, flat, deflate, RGBA": lambda: _encoded(_flat("RGBA"), "TIFF", compression="tiff_adobe_deflate"),
    "AVIF, noise, RGBA": lambda: _encoded(_noise(4), "AVIF", quality=90, speed=10, subsampling="4:4:4"),
    "AVIF, flat, RGBA": lambda: _encoded(_flat("RGBA"), "AVIF", speed=10),
    "HEIC, noise, RGBA": lambda: _encoded(_noise(4), "HEIF", quality=90, chroma=444),
    "HEIC, flat, RGB": lambda: _encoded(_flat("RGB"), "HEIF", quality=50),
}


if __name__ == "__main__":
    sys.exit(main())

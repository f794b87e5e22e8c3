"""Limits that the kernel keeps, in a process of their own."""

import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pytest
from PIL import Image

from model.common.errors import BadImage
from model.inputs.photo_view import GivenView
from service.concurrency import decode_worker
from service.concurrency.decode_worker import DecodeJob, TooHeavy
from tests.fakes import FakeEncoder
from tests.service.pictures import encoded

_RUN = """
import signal, sys
from service.concurrency.decode_costs import Cost
from service.concurrency.decode_worker import _limited, set_up
set_up(0)
with _limited(Cost(expected_s=0.0, cpu_s={cpu_s}, memory_bytes={memory}, pixels=0)):
    {body}
print("went on")
"""


def run(body: str, *, cpu_s: float = 5.0, memory: int = 256 << 20) -> subprocess.CompletedProcess:
    code = _RUN.format(body=body, cpu_s=cpu_s, memory=memory)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_code_that_heeds_nothing_dies_after_its_seconds_of_cpu():
    assert run("while True: pass", cpu_s=0.2).returncode == -signal.SIGPROF


def test_limit_behind_the_timer_ends_what_stops_the_timer():
    body = "signal.setitimer(signal.ITIMER_PROF, 0)\n    while True: pass"
    assert run(body, cpu_s=0.2).returncode == -signal.SIGXCPU


def test_memory_beyond_the_limit_is_an_error_and_the_process_goes_on_without_the_limit():
    body = (
        "\n    ".join(("try: bytearray(512 << 20); sys.exit(3)", "except MemoryError: pass")) + "\nbytearray(512 << 20)"
    )
    done = run(body)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_what_a_decoder_says_of_a_photo_stays_out_of_the_log():
    photo = bytearray(encoded(Image.new("RGB", (8, 8)), "TIFF"))
    samples = photo.index((277).to_bytes(2, "little") + (3).to_bytes(2, "little"))  # tag, type
    photo[samples + 8 : samples + 10] = (515).to_bytes(2, "little")
    body = (
        f"from PIL import Image; import io\n    try: Image.open(io.BytesIO({bytes(photo)!r}))\n    except OSError: pass"
    )
    done = run(body)
    assert (done.stdout, done.stderr) == ("went on\n", "")


def decode(asked: DecodeJob):
    """In a process of its own: the limits are those of a whole process, and would end the one that runs the tests."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(decode_worker.decode, asked).result()


def job(photo: bytes, **changes) -> DecodeJob:
    given = GivenView(heading_deg=0.0, fov_deg=360.0)
    return DecodeJob(photo, given, FakeEncoder().inputs, **{"max_pixels": 10_000_000, "at_most_s": None} | changes)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_photo_that_takes_longer_than_asked_is_handed_back(form):
    photo = encoded(Image.new("RGB", (2000, 1000), (9, 99, 200)), form)
    back = decode(job(photo, at_most_s=0.005))
    assert isinstance(back, TooHeavy)
    assert back.cost.pixels == 2_000_000
    assert not isinstance(decode(job(photo)), TooHeavy)


def test_photo_beyond_the_pixel_limit_is_refused():
    photo = encoded(Image.new("RGB", (2000, 1000)), "PNG")
    with pytest.raises(BadImage, match="the limit is 1,000,000"):
        decode(job(photo, max_pixels=1_000_000))


def test_angles_that_no_photo_can_have_are_the_callers_mistake():
    photo = encoded(Image.new("RGB", (64, 20), (200, 90, 30)))
    with pytest.raises(BadImage, match="angles given: vertical_deg is 0"):
        decode(replace(job(photo), given=GivenView(heading_deg=0.0, fov_deg=5e-324)))

"""A HEIC or AVIF with a changed EXIF block: nothing in it moves."""

import io
import random

import pillow_heif
import pytest
from PIL import Image

from indexer.localization.heif_exif import change_exif
from tests.model.photo_files import exif, gpano, photo

NEW = exif(direction=90.0)[6:]
ABOUT = exif(direction=12.0)
KINDS = ("HEIF", "AVIF")


def direction(heif: bytes) -> float:
    with Image.open(io.BytesIO(heif)) as image:
        return float(image.getexif().get_ifd(0x8825)[17])


@pytest.mark.parametrize("kind", KINDS)
def test_the_block_is_changed_and_nothing_moves(kind: str) -> None:
    heif = photo(kind, exif=ABOUT, xmp=gpano(PoseHeadingDegrees=5))
    seen = []
    made = change_exif(heif, lambda block: seen.append(block) or NEW)
    assert seen == [ABOUT.removeprefix(b"Exif\0\0")]
    assert direction(made) == 90.0
    assert seen[0] not in made
    begin = heif.index(seen[0])
    differ = {at for at in range(len(heif)) if heif[at] != made[at]}
    outside = {at for at in differ if not begin - 10 <= at < begin + len(seen[0])}
    assert 0 < len(outside) <= 8  # where it lies, and how long it is
    with Image.open(io.BytesIO(heif)) as before, Image.open(io.BytesIO(made)) as after:
        assert before.tobytes() == after.tobytes()
        assert before.info.get("xmp") == after.info.get("xmp")


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_change_replaces_the_first(kind: str) -> None:
    once = change_exif(photo(kind, exif=ABOUT), lambda _: exif(direction=45.0)[6:])
    assert direction(change_exif(once, lambda _: NEW)) == 90.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_last_box_that_goes_on_to_the_end_takes_it_up(kind: str) -> None:
    heif = photo(kind, exif=ABOUT)
    last = heif.rindex(b"mdat") - 4
    assert last + int.from_bytes(heif[last : last + 4], "big") == len(heif)
    made = change_exif(heif[:last] + bytes(4) + heif[last + 4 :], lambda _: NEW)
    assert made.count(b"mdat") == 1
    assert direction(made) == 90.0


def test_of_ten_pictures_all_are_kept() -> None:
    pictures = pillow_heif.HeifFile()
    for number in range(10):
        pictures.add_from_pillow(Image.new("RGB", (64, 32), (number * 20, 99, 0)))
        pictures[number].info["exif"] = ABOUT
    buffer = io.BytesIO()
    pictures.save(buffer, primary_index=3, quality=90)
    made = change_exif(buffer.getvalue(), lambda _: NEW)
    before, after = (pillow_heif.open_heif(io.BytesIO(data)) for data in (buffer.getvalue(), made))
    assert len(after) == 10
    assert after.primary_index == before.primary_index == 3
    assert [bytes(one.data) for one in after] == [bytes(one.data) for one in before]


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_block_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="no EXIF that could be changed"):
        change_exif(photo(kind), lambda block: block)
    for data in (b"", b"no picture", photo("JPEG")):
        with pytest.raises(ValueError, match=r"no HEIC or AVIF|longer than"):
            change_exif(data, lambda block: block)


@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_are_changed_or_refused(kind: str) -> None:
    whole, numbers = photo(kind, (64, 48), exif=ABOUT), random.Random(0)
    table = whole.index(b"mdat")
    for _ in range(1500):
        data = bytearray(whole[: numbers.choice((len(whole), numbers.randrange(len(whole))))])
        for _ in range(numbers.randrange(1, 5)):
            if data:
                data[numbers.randrange(min(len(data), table))] = numbers.randrange(256)
        try:
            made = change_exif(bytes(data), lambda _: NEW)
        except ValueError:
            continue
        assert len(made) < len(data) + 2_000

"""The packets of a JPEG with an extension, of other formats, and of none."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from model.inputs.xmp_packets import xmp_packets
from tests.model.photo_files import FORMATS, extended_jpeg, gpano, photo


def packets(data):
    with Image.open(io.BytesIO(data)) as image:
        return [packet.data for packet in xmp_packets(image)]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_has_its_packet(kind):
    packet = gpano(PoseHeadingDegrees=1)
    assert [found.strip(b"\0") for found in packets(photo(kind, xmp=packet))] == [packet]
    assert packets(photo(kind)) == []


def test_the_pieces_of_an_extension_are_joined_in_their_order():
    main, extension = gpano(PoseHeadingDegrees=1), gpano(CroppedAreaLeftPixels=2)
    data = extended_jpeg(main, extension, piece_bytes=60)
    assert packets(data)[1:] == [extension]
    shuffled = extended_jpeg(main, extension, piece_bytes=60, backwards=True)
    assert packets(shuffled)[1:] == [extension]


def test_an_extension_that_the_packet_does_not_name_is_none_of_it():
    data = extended_jpeg(gpano(), gpano(CroppedAreaLeftPixels=2), named="0" * 32)
    assert len(packets(data)) == 1


def test_a_profile_in_hexadecimal_as_some_programs_write_it_into_a_png():
    packet = gpano(PoseHeadingDegrees=1)
    for text, expected in ((packet.hex(), [packet]), ("no digits", [])):
        info = PngInfo()
        info.add_text("Raw profile type xmp", f"\nxmp\n{len(packet):8}\n{text}\n")
        buffer = io.BytesIO()
        Image.new("RGB", (4, 2)).save(buffer, "PNG", pnginfo=info)
        assert packets(buffer.getvalue()) == expected

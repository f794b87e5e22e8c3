"""One namespace's properties of an XMP packet; hostile packets are refused."""

import time

import pytest

from model.inputs.xmp import MAX_XMP_BYTES, BadXmp, xmp_properties

SPACE = "http://example.org/space/"


def packet(inner="", attributes="", *, head="<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>"):
    return (
        f"{head}<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' xmlns:any='{SPACE}' xmlns:o='http://example.org/other/' {attributes}>{inner}"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def test_attributes_and_elements_are_the_same():
    assert xmp_properties(packet(attributes="any:Side='12' o:Side='13'"), SPACE) == {"Side": "12"}
    assert xmp_properties(packet("<any:Side> 12\n</any:Side><o:Side>13</o:Side>"), SPACE) == {"Side": "12"}


def test_the_first_of_a_name_counts():
    assert xmp_properties(packet("<any:Side>2</any:Side>", "any:Side='1'"), SPACE) == {"Side": "1"}


def test_text_around_inner_elements_is_no_value():
    found = xmp_properties(
        packet("<any:Bag>x<rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></any:Bag><any:Side>3</any:Side>"), SPACE
    )
    assert found == {"Side": "3"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_padding_and_a_byte_order_mark(encoding):
    text = packet(attributes="any:Side='12'", head="").decode()
    assert xmp_properties(text.encode(encoding) + b"\n" * 2000 + b"\0", SPACE) == {"Side": "12"}


def test_a_long_value_is_cut():
    assert len(xmp_properties(packet(f"<any:Side>{'9' * 5000}</any:Side>"), SPACE)["Side"]) < 200


BILLION = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {name} '{10 * f'&{inner};'}'>" for name, inner in zip("bcdefghij", "abcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packet("<any:Side>"), "no well-formed XML"),
        (packet() + b"<more/>", "no well-formed XML"),
        (packet()[:100], "no well-formed XML"),
        (b"", "no well-formed XML"),
        (b"\xff\xfe\0\1\2", "no well-formed XML"),
        (packet("<any:Side>&j;</any:Side>", head=BILLION + "]>"), "declares a document type"),
        (packet(head="<!DOCTYPE x SYSTEM 'file:///etc/passwd'>"), "declares a document type"),
        (packet("&nothing;"), "no well-formed XML"),
        (b" " * MAX_XMP_BYTES + b"<x/>", "1,048,580 bytes"),
        (b"<?xml version='1.0' encoding='martian'?><x/>", "no well-formed XML"),
    ],
    ids=["open", "two-roots", "cut", "empty", "noise", "billion", "external", "entity", "large", "encoding"],
)
def test_hostile_packets_are_refused(data, words):
    with pytest.raises(BadXmp, match=words):
        xmp_properties(data, SPACE)


def test_the_largest_and_the_deepest_packet_are_read_in_no_time():
    started = time.monotonic()
    deep = packet("<any:a>" * 50_000 + "</any:a>" * 50_000, "any:Side='12'")
    assert xmp_properties(deep, SPACE)["Side"] == "12"
    many = packet("<any:Side>1</any:Side>" * 45_000)
    assert len(many) < MAX_XMP_BYTES
    assert xmp_properties(many, SPACE) == {"Side": "1"}
    assert time.monotonic() - started < 10

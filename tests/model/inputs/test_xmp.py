"""One namespace's properties of an XMP packet; hostile packets are refused."""

import time

import pytest

from model.inputs.xmp import MAX_XMP_BYTES, BadXmp, merge, xmp_properties

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


def test_a_name_may_be_repeated_but_not_have_two_values():
    assert xmp_properties(packet("<any:Side>1.0</any:Side>", "any:Side='1'"), SPACE) == {"Side": "1"}
    with pytest.raises(BadXmp, match="gives Side two values"):
        xmp_properties(packet("<any:Side>2</any:Side>", "any:Side='1'"), SPACE)


VALUE_FORMS = {
    "resource": "<any:Side rdf:parseType='Resource'><rdf:value>12</rdf:value><o:by>me</o:by></any:Side>",
    "description": "<any:Side><rdf:Description><o:by>me</o:by><rdf:value>12</rdf:value></rdf:Description></any:Side>",
    "attribute": "<any:Side><rdf:Description rdf:value='12' o:by='me'/></any:Side>",
    "own attribute": "<any:Side rdf:value='12' o:by='me'/>",
}


@pytest.mark.parametrize("form", VALUE_FORMS.values(), ids=VALUE_FORMS)
def test_a_value_with_remarks_is_found(form):
    assert xmp_properties(packet(form), SPACE) == {"Side": "12"}


def test_a_value_of_another_namespace_is_not():
    assert xmp_properties(packet("<o:Side><rdf:value>12</rdf:value></o:Side><rdf:value>3</rdf:value>"), SPACE) == {}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be", "utf-32"])
@pytest.mark.parametrize("head", ["", " <?xml version='1.0' encoding='UTF-16'?>", "<?xpacket begin='\ufeff'?>"])
def test_every_form_of_unicode(encoding, head):
    text = packet(attributes="any:Side='12'", head=head.strip()).decode() + "\n" * 100
    assert xmp_properties(text.encode(encoding), SPACE) == {"Side": "12"}
    assert xmp_properties(text.encode(encoding) + b"\0", SPACE) == {"Side": "12"}


def test_a_slash_at_the_end_of_the_namespace_does_not_matter():
    data = packet(attributes="any:Side='12'")
    assert xmp_properties(data.replace(b"org/space/", b"org/space"), SPACE) == {"Side": "12"}
    assert xmp_properties(data, SPACE.rstrip("/")) == {"Side": "12"}
    assert xmp_properties(data.replace(b"org/space/", b"org/spaces/"), SPACE) == {}


def test_the_properties_of_two_packets_may_not_disagree():
    known = {"Side": "12"}
    merge(known, {"Side": "12.0", "Other": "a"})
    assert known == {"Side": "12", "Other": "a"}
    with pytest.raises(BadXmp, match="gives Other two values"):
        merge(known, {"Other": "b"})


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

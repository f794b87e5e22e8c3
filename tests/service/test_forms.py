import asyncio
import tempfile

from starlette.datastructures import Headers

from service.forms import MOST_IN_MEMORY, _PhotoParser
from tests.service.pictures import encoded, panorama_of


def test_an_upload_that_cannot_be_kept_is_a_fault_of_the_server_and_the_next_good_one_is_answered(
    client, monkeypatch, tmp_path
):
    photo = encoded(panorama_of(6))
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
        refused = client.post("/localize", files={"panorama": ("photo.png", photo + bytes(3 << 20))})
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:clnet:problem:storage-fault")
    assert refused.headers["retry-after"] == "30"
    assert client.post("/localize", files={"panorama": ("photo.png", photo)}).status_code == 200


def test_all_files_of_a_form_share_what_is_kept_in_memory():
    sizes = [600_000] * 6
    assert sum(sizes) > MOST_IN_MEMORY
    head = b'--b\r\nContent-Disposition: form-data; name="panorama"; filename="a"\r\n\r\n'
    body = b"".join(head + bytes([number]) * size + b"\r\n" for number, size in enumerate(sizes)) + b"--b--\r\n"

    async def parts():
        for at in range(0, len(body), 65_536):
            yield body[at : at + 65_536]

    async def read():
        form = await _PhotoParser(Headers({"content-type": "multipart/form-data; boundary=b"}), parts()).parse()
        files = form.getlist("panorama")
        kept = sum(file.size for file in files if file._in_memory)
        contents = [await file.read() for file in files]
        await form.close()
        return kept, contents

    kept, contents = asyncio.run(read())
    assert 0 < kept <= MOST_IN_MEMORY
    assert contents == [bytes([number]) * size for number, size in enumerate(sizes)]

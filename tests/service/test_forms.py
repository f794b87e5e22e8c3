import tempfile

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

from pathlib import Path

import pytest

from indexer.tiles.sources.virtual_names import is_virtual, markup_of, names_in


@pytest.mark.parametrize(
    ("content", "markup", "virtual"),
    [
        (b"<VRTDataset/>", True, True),
        (b"\xef\xbb\xbf <?xml version='1.0'?>\n<VRTDataset/>", True, True),
        (b"words <VRTDataset/>", True, False),
        (b'{"type": "Feature"}', True, False),
        (b"<GDAL_WMS/>", True, False),
        (b"II*\0 <VRTDataset>", False, False),
        (b"ncols 4\nnrows 4\n", False, False),
        (b"", False, False),
    ],
)
def test_a_file_is_told_by_what_it_holds(tmp_path: Path, content: bytes, markup: bool, virtual: bool) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    assert markup_of(path) == (content if markup else None)
    assert is_virtual(path) is virtual


def test_what_is_no_file_is_neither(tmp_path: Path) -> None:
    assert markup_of(tmp_path) is None
    assert not is_virtual(tmp_path / "gone.vrt")


@pytest.mark.parametrize("end", ["</VRTDataset>", "&</VRTDataset>"], ids=["xml", "no xml"])
def test_all_names_of_files_are_found(end: str) -> None:
    text = (
        '<VRTDataset><Metadata><MDI key="OVERVIEW_FILE">o.tif</MDI><MDI key="AREA_OR_POINT">Area</MDI></Metadata>'
        '<SourceFilename relativeToVRT="1">a.tif</SourceFilename><sourcedataset>b.tif</sourcedataset>'
        '<DEMPath>c.tif</DEMPath><Argument name="offset_dataset_filename_2">d.tif</Argument>'
        f'<Argument name="min">7</Argument><SourceFilename> </SourceFilename>{end}'
    )
    assert names_in(text) == [
        ("o.tif", False), ("a.tif", True), ("b.tif", False), ("c.tif", False), ("d.tif", False)
    ]  # fmt: skip

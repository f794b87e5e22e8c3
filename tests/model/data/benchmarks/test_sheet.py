import pytest
from PIL import Image

from model.common.errors import BadDataset
from model.data.benchmarks.registry import parse_source
from model.data.benchmarks.sheet import draw_sheet
from model.data.benchmarks.survey import survey
from tests.model.data.benchmarks.trees import write_cvusa


def test_a_row_is_drawn_for_each_sampled_pair_of_each_split(tmp_path):
    source = parse_source("cvusa")
    found = survey(source, write_cvusa(tmp_path), pictures=1)
    heights = []
    for rows in (1, 2):
        draw_sheet(found.splits, source.benchmark, tmp_path / "sheet.png", rows=rows)
        with Image.open(tmp_path / "sheet.png") as sheet:
            heights.append(sheet.height)
    assert heights == [2 * 180, 4 * 180]


def test_nothing_to_draw_is_an_error(tmp_path):
    source = parse_source("cvusa:val")
    found = survey(source, write_cvusa(tmp_path), pictures=1)
    for query in found.splits[0].pairs.queries:
        query.path.write_bytes(b"no picture")
    with pytest.raises(BadDataset, match="no pair of cvusa can be drawn"):
        draw_sheet(found.splits, source.benchmark, tmp_path / "sheet.png")

"""Mined neighbours are the pairs whose tiles look like the query."""

import numpy as np

from model.data.manifest import read_manifest
from model.data.pictures import PictureFiles
from model.inputs.specs import VIEWS
from model.training.mining import mine_similar
from tests.model.tiny import INPUTS, write_pairs


def mean_colour(pixels):
    colours = pixels.astype(np.float32).mean(axis=(1, 2)) - 127.5
    return colours / np.linalg.norm(colours, axis=1, keepdims=True)


def test_the_most_alike_come_first_and_none_is_its_own(tmp_path):
    pairs = read_manifest(write_pairs(tmp_path))
    found = mine_similar(dict.fromkeys(VIEWS, mean_colour), pairs, PictureFiles(pairs, INPUTS), INPUTS, 3, 3)
    assert found.shape == (8, 3)
    vectors = mean_colour(np.stack([PictureFiles(pairs, INPUTS).query(row) for row in range(8)]))
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    assert found[:, 0].tolist() == scores.argmax(axis=1).tolist()

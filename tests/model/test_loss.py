import math

import pytest
import torch
import torch.nn.functional as F

from model.loss import MAX_LOGIT_SCALE, symmetric_info_nce


def test_a_perfect_batch_costs_less_than_a_shuffled_one():
    vectors = torch.eye(4)
    scale = torch.tensor(math.log(10.0))
    right = symmetric_info_nce(vectors, vectors, scale, label_smoothing=0.0)
    wrong = symmetric_info_nce(vectors, vectors.roll(1, 0), scale, label_smoothing=0.0)
    assert right.item() == pytest.approx(math.log(1 + 3 * math.exp(-10.0)), rel=1e-2)
    assert wrong > right + 5


def test_both_directions_count_equally():
    torch.manual_seed(0)
    a, b = (F.normalize(torch.randn(6, 8), dim=1) for _ in range(2))
    scale = torch.tensor(2.0)
    assert symmetric_info_nce(a, b, scale).item() == pytest.approx(symmetric_info_nce(b, a, scale).item(), rel=1e-6)


def test_the_temperature_is_bounded():
    vectors = torch.eye(4)
    far, bound = (symmetric_info_nce(vectors, vectors, torch.tensor(s)) for s in (50.0, MAX_LOGIT_SCALE))
    assert far.item() == pytest.approx(bound.item())

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model.training.loss import MAX_LOGIT_SCALE, soft_targets, symmetric_info_nce
from tests.model.data.test_samplers import pair_set


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


def test_the_value_is_that_of_the_formula_with_the_labels_of_both_directions_smoothed():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 5, 8))
    scores = a @ b.T * math.exp(0.5)
    smoothed = 0.7 * np.eye(5) + 0.3 / 5

    def one_way(logits):
        logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return -(smoothed * logarithms).sum(axis=1).mean()

    found = symmetric_info_nce(*map(torch.tensor, (a, b)), torch.tensor(0.5), label_smoothing=0.3)
    assert found.item() == pytest.approx((one_way(scores) + one_way(scores.T)) / 2, rel=1e-6)


def test_ground_views_at_wrong_headings_are_negatives_of_every_tile_and_of_every_query():
    random = np.random.default_rng(0)
    ground, tiles = random.normal(size=(4, 3, 8)), random.normal(size=(4, 8))
    scores = np.einsum("qcd,td->qct", ground, tiles)  # scores[query, copy, tile]

    def surprise(right, wrong):
        return -right + math.log(np.exp(right) + np.exp(wrong).sum())

    one_way, other_way = [], []
    for own in range(4):
        others = [tile for tile in range(4) if tile != own]
        right = scores[own, 0, own]
        one_way.append(surprise(right, np.concatenate([scores[own, 0, others], scores[own, 1:].ravel()])))
        other_way.append(surprise(right, np.concatenate([scores[others, 0, own], scores[:, 1:, own].ravel()])))
    found = symmetric_info_nce(
        torch.tensor(ground.reshape(12, 8)), torch.tensor(tiles), torch.tensor(0.0), label_smoothing=0.0
    )
    assert found.item() == pytest.approx((np.mean(one_way) + np.mean(other_way)) / 2, rel=1e-6)
    soft = symmetric_info_nce(
        torch.tensor(ground.reshape(12, 8)),
        torch.tensor(tiles),
        torch.tensor(0.0),
        label_smoothing=0.0,
        targets=torch.eye(4, dtype=torch.float64),
    )
    assert soft.item() == pytest.approx(found.item(), rel=1e-6)


def test_the_loss_is_computed_where_the_vectors_lie():
    vectors, scale = torch.zeros(4, 8, device="meta"), torch.zeros((), device="meta")  # no CPU, and everywhere there
    assert symmetric_info_nce(vectors, vectors, scale).device.type == "meta"


def test_the_temperature_is_bounded():
    vectors = torch.eye(4)
    far, bound = (symmetric_info_nce(vectors, vectors, torch.tensor(s)) for s in (50.0, MAX_LOGIT_SCALE))
    assert far.item() == pytest.approx(bound.item())


def test_the_temperature_may_be_unbounded():
    vectors = F.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    wrong = vectors.roll(1, 0)
    far, bound = (symmetric_info_nce(vectors, wrong, torch.tensor(s), bounded=False) for s in (6.0, MAX_LOGIT_SCALE))
    assert far > 2 * bound


def test_targets_of_ones_own_tile_alone_change_nothing():
    torch.manual_seed(0)
    a, b = (F.normalize(torch.randn(6, 8), dim=1) for _ in range(2))
    plain, soft = (symmetric_info_nce(a, b, torch.tensor(2.0), targets=right) for right in (None, torch.eye(6)))
    assert plain.item() == pytest.approx(soft.item(), rel=1e-6)


def test_a_tile_that_is_partly_right_costs_least_where_it_scores_as_its_weight_says():
    """Query 0 finds tile 1 half as right as its own; the scores that say so, and no others, reach the entropy."""
    targets = torch.tensor([[1.0, 0.5], [0.0, 1.0]])
    ground = torch.eye(2).requires_grad_()
    loss = symmetric_info_nce(ground, torch.eye(2), torch.tensor(0.0), label_smoothing=0.0, targets=targets)
    by_hand = [
        -(2 / 3 * math.log(PEAK) + 1 / 3 * math.log(1 - PEAK)),  # query 0 to tiles
        -math.log(PEAK),  # query 1 to tiles
        -math.log(PEAK),  # tile 0 to queries
        -(1 / 3 * math.log(1 - PEAK) + 2 / 3 * math.log(PEAK)),  # tile 1 to queries
    ]
    assert loss.item() == pytest.approx(sum(by_hand) / 4, rel=1e-5)


PEAK = math.e / (math.e + 1)


def test_targets_tell_which_tiles_of_the_batch_cover_a_query_too():
    pairs = pair_set([0, 1, 2, 3], ((1,), (0, 2), (9,), ()), tiles=10)
    assert soft_targets(pairs, [1, 0, 2], 0.25).tolist() == [[1, 0.25, 0.25], [0.25, 1, 0], [0, 0, 1]]
    assert torch.equal(soft_targets(pair_set([0, 1]), [0, 1], 0.25), torch.eye(2))


@pytest.mark.parametrize("start", [4.7, 50.0])
def test_beyond_its_bound_the_temperature_still_feels_where_to_go(start):
    """The gradient there is that at the bound: a clamp's own would be zero, and the temperature would stay for ever."""
    vectors, wrong = torch.eye(4), torch.eye(4).roll(1, 0)
    gradients = []
    for value in (start, MAX_LOGIT_SCALE):
        scale = torch.tensor(value, requires_grad=True)
        symmetric_info_nce(vectors, wrong, scale).backward()
        gradients.append(scale.grad.item())
    assert gradients[0] == pytest.approx(gradients[1])
    assert gradients[1] > 1  # everything is wrong, so the temperature has to rise, and its logarithm's inverse to fall

import numpy as np
import pytest
import torch

from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec
from model.network.forward import encode_batch
from model.network.polar import unroll_tiles

SIZE_PX = (128, 32)


def tile_with_spot(east, south, side=96):
    """A dark tile with a bright spot at (east, south) of its centre, in halves of its side."""
    tile = torch.zeros(1, 1, side, side)
    row, column = round((south + 1) / 2 * side), round((east + 1) / 2 * side)
    tile[..., row - 2 : row + 2, column - 2 : column + 2] = 1.0
    return tile


def brightest(canvas):
    return divmod(int(canvas[0, 0].flatten().argmax()), canvas.shape[3])


@pytest.mark.parametrize(
    ("east", "south", "azimuth_deg"), [(0, -0.5, 0), (0.5, 0, 90), (-0.5, 0, 270), (0.4, -0.4, 45), (0.4, 0.4, 135)]
)
def test_what_lies_in_a_direction_comes_into_the_panoramas_column(east, south, azimuth_deg):
    width, height = SIZE_PX
    row, column = brightest(unroll_tiles(tile_with_spot(east, south), SIZE_PX))
    assert abs((column + 0.5) / width * 360 - 180 - (azimuth_deg + 180) % 360 + 180) <= 360 / width * 2
    assert abs((1 - (row + 0.5) / height) - np.hypot(east, south)) < 0.06


def test_a_turned_tile_is_a_rolled_canvas():
    tile = torch.rand(2, 3, 64, 64)
    turned = unroll_tiles(torch.rot90(tile, 1, dims=(2, 3)), SIZE_PX)
    assert torch.allclose(turned, unroll_tiles(tile, SIZE_PX).roll(-32, dims=3), atol=1e-4)


def test_a_mirrored_tile_is_a_mirrored_canvas():
    tile = torch.rand(2, 3, 64, 64)
    assert torch.allclose(unroll_tiles(tile.flip(3), SIZE_PX), unroll_tiles(tile, SIZE_PX).flip(3), atol=1e-4)


def test_the_network_sees_unrolled_tiles_where_its_inputs_say_so():
    torch.manual_seed(0)
    inputs = InputSpec(64, 32, 128, polar=True)
    net = CLNet(CLNetSpec(dim=32), inputs).eval()
    assert [tuple(weight.shape[1:]) for weight in net.importance("satellite")] == [(4, 16), (2, 8), (1, 4)]
    tiles = torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8)
    vectors = encode_batch(net, tiles, inputs, "satellite", half=None)
    corners = tiles.clone()
    corners[:, :6, :6] = 0  # beyond the inscribed circle
    assert torch.allclose(vectors, encode_batch(net, corners, inputs, "satellite", half=None), atol=1e-5)
    corners[:, 30:34, 10:20] = 0
    assert not torch.allclose(vectors, encode_batch(net, corners, inputs, "satellite", half=None), atol=1e-5)

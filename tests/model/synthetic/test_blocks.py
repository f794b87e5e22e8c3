import numpy as np

from model.synthetic.blocks import BlockKind, locate
from model.synthetic.districts import district_map

DISTRICT = district_map(11, np.zeros(1), np.zeros(1))[0][12]


def test_every_point_lies_in_its_block():
    u, v = np.random.default_rng(0).uniform(-300, 300, (2, 500))
    blocks = locate(DISTRICT, u, v)
    for along, length in ((blocks.along_m, blocks.length_m), (blocks.across_m, blocks.depth_m)):
        assert (along >= 0).all()
        assert (along < length).all()
    assert set(np.unique(blocks.kind)) <= set(range(8))


def test_a_block_is_the_same_in_any_window():
    u, v = np.array([12.0, 80.0]), np.array([-33.0, 41.0])
    alone, among = locate(DISTRICT, u, v), locate(DISTRICT, np.append(u, 900.0), np.append(v, -900.0))
    assert alone.along_m.tolist() == among.along_m[:2].tolist()
    kinds = alone.kind[alone.i, alone.j], among.kind[among.i[:2], among.j[:2]]
    assert kinds[0].tolist() == kinds[1].tolist()
    draws = alone.table(7)[alone.i, alone.j], among.table(7)[among.i[:2], among.j[:2]]
    assert draws[0].tolist() == draws[1].tolist()


def test_tables_take_further_axes():
    blocks = locate(DISTRICT, np.zeros(1), np.zeros(1))
    table = blocks.table(3, np.arange(4))
    assert table.shape == (*blocks.kind.shape, 4)
    assert ((table >= 0) & (table < 1)).all()
    assert BlockKind.POND == 7

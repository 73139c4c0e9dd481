import numpy as np

from rote.machine.randomness import generator, seed_of


def test_seed_is_frozen():
    assert seed_of("shuffle", 0, 1) == 1291466000523049043
    assert generator("randX", 3).standard_normal() == -0.15357808405417647


def test_streams_differ_by_every_part_of_the_key():
    keys = [("a", 1, 2), ("a", 2, 1), ("a", 12), ("b", 1, 2), ("a", "1", 2)]
    assert len({seed_of(*key) for key in keys}) == len(keys)
    draws = np.stack([generator(*key).random(1000) for key in keys])
    correlation = np.corrcoef(draws) - np.eye(len(keys))
    assert np.abs(correlation).max() < 0.15  # 5 standard errors of 1/√1000


def test_seed_fits_what_torch_and_numpy_take():
    assert all(0 <= seed_of(i) < 2**63 for i in range(100))

"""Random numbers from a seed and a step."""

import torch

from unrolled.layers.hashing import hash_bits, uniform


def test_uniform_numbers_are_uniform_and_depend_on_seed_and_step() -> None:
    seeds = torch.randint(2**62, (200, 1), generator=torch.Generator().manual_seed(0))
    steps = torch.arange(100).expand(200, -1)
    drawn = uniform(seeds, steps)
    assert drawn.shape == (200, 100)
    assert drawn.min() > 0
    assert drawn.max() < 1
    in_tenths = torch.histc(drawn, 10, 0, 1)  # 2,000 expected, standard deviation 42
    assert (in_tenths - 2000).abs().max() < 4 * 42.5
    assert drawn.unique().numel() > 19_990
    for lag in (drawn[:, 1:] - 0.5) * (drawn[:, :-1] - 0.5), (drawn[1:] - 0.5) * (drawn[:-1] - 0.5):
        assert lag.mean().abs() < 4 / 12 / lag.numel() ** 0.5
    assert torch.equal(uniform(seeds[:3], steps[:3, 50:]), drawn[:3, 50:])


def test_a_draw_may_have_a_negative_number() -> None:
    seed = torch.tensor([5])
    assert hash_bits(seed, torch.tensor([-1]), 3).shape == (1, 3)
    assert uniform(seed, torch.tensor([-1])) != uniform(seed, torch.tensor([0]))

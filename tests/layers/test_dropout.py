"""Hash dropout: its masks are fair, independent, and functions of seed and step alone."""

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.layers import Dropout, DropoutState


def masks(p: float, batch_size: int, num_steps: int, size: int, **options) -> torch.Tensor:
    y, _ = Dropout(p, **options)(torch.ones(batch_size, num_steps, size))
    return (y > 0).float()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_is_p(p: float) -> None:
    kept = masks(p, 16, 64, 256)
    deviation = (p * (1 - p) / kept.numel()) ** 0.5
    assert abs(kept.mean().item() - (1 - p)) < 4 * deviation
    y, _ = Dropout(p)(torch.ones(1, 8, 8))
    assert torch.allclose(y[y > 0], torch.tensor(1 / (1 - p)))


def test_neighbours_are_independent() -> None:
    kept = masks(0.5, 64, 64, 64) - 0.5
    spread = 0.25 / kept.numel() ** 0.5  # standard error of a product's mean
    for axis in range(3):
        for lag in (1, 2, 16):
            assert abs((kept * kept.roll(lag, axis)).mean().item()) < 4.5 * spread
    counts = kept.view(64 * 64, 64).sum(dim=1) + 32  # binomial(64, 1/2): variance 16
    assert abs(counts.var().item() - 16) < 16 * 4.5 * (2 / 4096) ** 0.5


def test_a_mask_is_a_function_of_seed_and_step() -> None:
    layer, x = Dropout(0.5), torch.ones(2, 6, 31)
    state = DropoutState(torch.tensor([3, 3]), torch.tensor([0, 2**33]))
    y, after = layer(x, state)
    assert torch.equal(layer(x, state)[0], y)
    assert not torch.equal(y[0], y[1])
    assert after.step.tolist() == [6, 2**33 + 6]
    shifted, _ = layer(x[:, 2:], DropoutState(state.seed, state.step + 2))
    assert torch.equal(shifted, y[:, 2:])


def test_the_period_says_how_long_a_mask_lasts() -> None:
    for period, distinct in ((1, 12), (3, 4), (None, 1)):
        kept = masks(0.5, 1, 12, 61, period=period)[0]
        assert len(kept.unique(dim=0)) == distinct


def test_new_sequences_draw_new_seeds_in_training_only() -> None:
    layer, x = Dropout(0.5), torch.ones(2, 3, 31)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    torch.manual_seed(5)
    first = layer(x)[0]
    torch.manual_seed(5)
    assert torch.equal(layer(x)[0], first)
    before = torch.random.get_rng_state()
    y, state = layer.eval()(x)
    assert torch.equal(y, x)
    assert state.seed.tolist() == [0, 0]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"p in \[0, 1\), got 1"):
        Dropout(1.0)
    with pytest.raises(ConfigError, match="period of at least 1"):
        Dropout(0.5, period=0)

"""The temporal convolutional network: published sizes, receptive field, streaming."""

import pytest
import torch
from torch.nn import functional as F
from torch.nn.utils import parametrize

from unrolled.errors import ConfigError
from unrolled.layers import CausalConv1d, Dropout, Residual
from unrolled.models import TCN, TCNLanguageModel
from unrolled.streaming import Stream


@pytest.mark.parametrize(
    ("sizes", "options", "parameters"),
    [
        # sequential MNIST, 66K in the paper: a pixel in, ten digits out
        ((1, 10), {"hidden_size": 25, "num_levels": 8, "kernel_size": 7}, 66_910),
        # the adding problem of T = 600, 70K
        ((2, 1), {"hidden_size": 24, "num_levels": 8, "kernel_size": 8}, 70_369),
        # copy memory of T = 1000, 13K: a symbol comes in as one number, ten scores go out
        ((1, 10), {"hidden_size": 10, "num_levels": 8, "kernel_size": 8}, 12_530),
    ],
    ids=["mnist", "adding", "copy"],
)
def test_it_has_as_many_parameters_as_the_papers(sizes, options, parameters: int) -> None:
    model = TCN(*sizes, **options)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def seen(model: TCN, num_steps: int) -> list[int]:
    """Return the steps that the last output has a gradient by; no ReLU is closed, all is > 0."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    x = torch.ones(1, num_steps, 1, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.double()(x)[0][0, -1].sum(), x)
    return gradient[0, :, 0].nonzero().flatten().tolist()


@pytest.mark.parametrize("convolutions", [1, 2, 3])
@pytest.mark.parametrize(("num_levels", "kernel_size"), [(1, 1), (1, 3), (3, 2), (4, 3)])
def test_the_formula_is_what_the_gradient_sees(
    convolutions: int, num_levels: int, kernel_size: int
) -> None:
    model = TCN(
        1,
        1,
        hidden_size=2,
        num_levels=num_levels,
        kernel_size=kernel_size,
        convolutions_per_level=convolutions,
    )
    field = model.receptive_field
    assert seen(model, field + 5) == list(range(5, field + 5))


@pytest.mark.parametrize(("convolutions", "field"), [(1, 4096), (2, 8191)])
def test_twelve_levels_see_2_to_the_12_steps_or_twice_that(convolutions: int, field: int) -> None:
    model = TCN(
        1, 1, hidden_size=2, num_levels=12, kernel_size=2, convolutions_per_level=convolutions
    )
    assert model.receptive_field == field
    assert seen(model, field + 3) == list(range(3, field + 3))


def test_it_is_the_papers_formula() -> None:
    model = TCN(3, 5, hidden_size=7, num_levels=2, kernel_size=3).double()
    x = torch.randn(2, 11, 3, dtype=torch.float64)
    hidden = x.mT
    for level in range(2):
        block = model.layers[2 * level]
        assert isinstance(block, Residual)
        around = hidden if block.skip is None else block.skip(hidden.mT)[0].mT
        for conv in (layer for layer in block.layer.layers if isinstance(layer, CausalConv1d)):
            gain, direction = (
                getattr(conv.parametrizations.weight, f"original{i}") for i in (0, 1)
            )
            weight = gain * direction / direction.flatten(1).norm(dim=1)[:, None, None]
            padded = F.pad(hidden, (2 * 2**level, 0))
            hidden = torch.relu(F.conv1d(padded, weight, conv.bias, dilation=2**level))
        hidden = torch.relu(around + hidden)
    expected = F.linear(hidden.mT, model.layers[-1].weight, model.layers[-1].bias)
    assert (model(x)[0] - expected).abs().max() <= 1e-12


def test_a_stream_gives_what_the_whole_gives() -> None:
    model = TCN(3, 5, hidden_size=7, num_levels=4, kernel_size=3, dropout=0.2).double().eval()
    x = torch.randn(2, 50, 3, dtype=torch.float64)
    stream = Stream(model)
    y = torch.stack([stream.push(x[:, t]) for t in range(50)], dim=1)
    assert (y - model(x)[0]).abs().max() <= 1e-12


def test_removing_the_normalisation_keeps_the_answer() -> None:
    model = TCN(3, 5, hidden_size=7, num_levels=3, kernel_size=2).double()
    x = torch.randn(2, 11, 3, dtype=torch.float64)
    before, _ = model(x)
    convs = [m for m in model.modules() if isinstance(m, CausalConv1d)]
    for conv in convs:
        parametrize.remove_parametrizations(conv, "weight")
    assert len(convs) == 6
    assert (model(x)[0] - before).abs().max() <= 1e-12


def test_dropout_is_by_element_or_by_channel_of_a_sequence() -> None:
    for period, distinct in ((1, 20), (None, 1)):
        model = TCN(3, 5, hidden_size=31, num_levels=1, dropout=0.5, dropout_period=period)
        (layer,) = {m for m in model.layers[0].layer.layers[:3] if isinstance(m, Dropout)}
        kept = (layer(torch.ones(1, 20, 31))[0] > 0)[0]
        assert len(kept.unique(dim=0)) == distinct


def test_the_language_model_sees_tokens_as_far_back_as_it_says() -> None:
    options = {"embedding_size": 3, "hidden_size": 31, "num_levels": 2, "kernel_size": 2}
    model = TCNLanguageModel(11, **options).double()
    tokens = torch.randint(1, 11, (1, 12))
    expected, _ = model(tokens)
    field = model.receptive_field
    assert field == 7
    for back in range(12):
        other = tokens.clone()
        other[0, -1 - back] = 0
        changed = bool((model(other)[0][0, -1] != expected[0, -1]).any())
        assert changed == (back < field), back


def test_impossible_options_are_refused() -> None:
    for option in ("hidden_size", "num_levels", "convolutions_per_level", "kernel_size"):
        with pytest.raises(ConfigError, match=f"{option} = 0"):
            TCN(3, 5, **{option: 0})
    with pytest.raises(ConfigError, match=r"p in \[0, 1\)"):
        TCN(3, 5, dropout=1.0)

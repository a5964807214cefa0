"""Comparing a cell with torch's layer of the same weights."""

import torch
from torch import Tensor, nn


def torch_weights(layer: nn.Module) -> dict[str, Tensor]:
    return {name.removesuffix("_l0"): value for name, value in layer.named_parameters()}


def assert_parity(ours, theirs, x, state, their_state) -> None:
    """Values and gradients of a chunk equal torch's to 1e-12."""
    ours_x, theirs_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, last = ours(ours_x, state)
    expected, their_last = theirs(theirs_x, their_state)
    their_leaves = their_last if isinstance(their_last, tuple) else (their_last,)
    for got, wanted in zip((y, *last), (expected, *their_leaves), strict=True):
        assert (got - wanted.reshape(got.shape)).abs().max() <= 1e-12
    for output in (y, expected):
        output.sin().sum().backward()
    assert (ours_x.grad - theirs_x.grad).abs().max() <= 1e-12
    assert ours.state_dict().keys() == torch_weights(theirs).keys()
    for name, weight in torch_weights(theirs).items():
        assert (getattr(ours, name).grad - weight.grad).abs().max() <= 1e-12


def assert_steps_like(ours, torch_cell, x, state, their_state) -> None:
    """Step by step, values equal those of torch's cell class to 1e-12."""
    for x_t in x.unbind(1):
        y_t, state = ours.step(x_t, state)
        their_state = torch_cell(x_t, their_state)
        leaves = their_state if isinstance(their_state, tuple) else (their_state,)
        for got, wanted in zip((y_t, *state), (leaves[0], *leaves), strict=True):
            assert (got - wanted).abs().max() <= 1e-12


def double(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)

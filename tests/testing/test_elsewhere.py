"""Every module of the tables runs on a device that is no CPU, and gives there what it gives here.

The device is ``elsewhere``: see ``tests/elsewhere.py``.
"""

import pytest
import torch
from torch import Tensor, nn

from tests.elsewhere import NAME
from unrolled.recurrence import Recurrence
from unrolled.state import Tree, leaves, map_leaves, named_leaves, to
from unrolled.testing.examples import EXAMPLES, Example


def run(module: nn.Module, x: Tree, context: Tree | None) -> dict[str, Tensor]:
    """Go over x in two chunks, ragged ones, and back; return all that came of it, by name."""
    assert isinstance(module, Recurrence)
    bound = module if context is None else module.given(context)
    if isinstance(x, Tensor) and x.is_floating_point():
        x = x.detach().clone().requires_grad_()
    size, half = len(leaves(x)[0]), module.stride
    lengths = torch.tensor([half] + [leaves(x)[0].shape[1]] * (size - 1))
    y, state = bound(map_leaves(lambda leaf: leaf[:, :half], x))
    rest, state = bound(map_leaves(lambda leaf: leaf[:, half:], x), state)
    ragged, after = bound(x, lengths=lengths)
    found = {"y": y, "rest": rest, "state": state, "ragged": ragged, "after": after}
    tensors = {
        name: leaf for key, tree in found.items() for name, leaf in named_leaves(tree, key).items()
    }
    losses = [leaf.sum() for leaf in tensors.values() if leaf.requires_grad]
    if losses:
        torch.stack(losses).sum().backward()
    wanted = {"x": x, **dict(module.named_parameters())}
    gradients = {
        f"gradient of {k}": v.grad
        for k, v in wanted.items()
        if isinstance(v, Tensor) and v.grad is not None
    }
    return {k: v.detach() for k, v in (tensors | gradients).items()}


def moved(found: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in found.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_modules_give_elsewhere_what_they_give_here(example: Example) -> None:
    torch.manual_seed(0)
    module, x = example.build().eval(), example.x()
    context = None if example.context is None else example.context(module, len(leaves(x)[0]))
    context = None if context is None else to(map_leaves(torch.detach, context))
    here = run(module, x, context)
    module.zero_grad()
    module.to(NAME)
    there = run(module, to(x, device=NAME), None if context is None else to(context, device=NAME))
    assert {name: tensor.device.type for name, tensor in there.items()} == dict.fromkeys(here, NAME)
    torch.testing.assert_close(moved(there), here, rtol=1e-4, atol=1e-5)

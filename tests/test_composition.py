"""Planned modules beside the rest of torch: the right answer, or an error in words."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import jaxtyping
import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import functional_call, grad, jacfwd, jacrev, vmap

from tests.kernels.machines import choose
from unrolled import fused
from unrolled.cells import GRU, LSTM, PeepholeLSTM
from unrolled.recurrence import Recurrence

B, T, C, D = 3, 7, 5, 5
# Torch loads its rules for differentiating forwards through something that it has deprecated.
FORWARD = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


def looped(module: Recurrence, x: Tensor) -> Tensor:
    """Return y of the loop over the step, which torch differentiates in any way."""
    steps, state = [], module.state_like(x[:, 0])
    for x_t in x.unbind(1):
        y_t, state = module.step(x_t, state)
        steps.append(y_t)
    return torch.stack(steps, dim=1)


def assert_close(got: Tensor, expected: Tensor) -> None:
    assert expected.abs().max() > 1e-3  # else anything is close
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", [GRU, LSTM, PeepholeLSTM])
def test_vmap(cell) -> None:
    """Torch's kernels for GRU and LSTM have no rule for it; the loop has."""
    module, x = cell(C, D), torch.randn(2, B, T, C)
    got = vmap(lambda x: module(x)[0])(x)
    assert_close(got[1], looped(module, x[1]))


def test_an_ensemble() -> None:
    modules, x = [GRU(C, D), GRU(C, D)], torch.randn(B, T, C)
    weights, _ = torch.func.stack_module_state(modules)
    got = vmap(lambda w: functional_call(modules[0], w, (x,))[0])(weights)
    assert_close(got[1], looped(modules[1], x))


def test_gradients_by_function_transforms() -> None:
    module, x = GRU(C, D), torch.randn(B, T, C)
    weights = {name: p.detach() for name, p in module.named_parameters()}
    got = grad(lambda w: functional_call(module, w, (x,))[0].square().sum())(weights)
    expected = torch.autograd.grad(looped(module, x).square().sum(), list(module.parameters()))
    for one, other in zip(got.values(), expected, strict=True):
        assert_close(one, other)


@FORWARD
def test_jacobians_by_function_transforms() -> None:
    module, x = PeepholeLSTM(C, D), torch.randn(1, 4, C)
    expected = torch.autograd.functional.jacobian(lambda x: looped(module, x), x)
    assert_close(jacrev(lambda x: module(x)[0])(x), expected)
    assert_close(jacfwd(lambda x: module(x)[0])(x), expected)


@FORWARD
def test_forward_mode() -> None:
    module, x, tangent = PeepholeLSTM(C, D), torch.randn(B, T, C), torch.randn(B, T, C)
    with forward_ad.dual_level():
        y, _ = module(forward_ad.make_dual(x, tangent))
        got = forward_ad.unpack_dual(y).tangent
    _, expected = torch.func.jvp(lambda x: looped(module, x), (x,), (tangent,))
    assert_close(got, expected)


def test_a_graph_of_gradients_is_refused_in_words() -> None:
    module, x = GRU(C, D), torch.randn(B, T, C, requires_grad=True)
    with pytest.raises(RuntimeError, match="first derivatives only; run the module with UNROLLED"):
        torch.autograd.grad(module(x)[0].sum(), x, create_graph=True)


def test_no_second_derivative_is_silently_zero() -> None:
    """A Hessian asks for the gradient's gradient, and takes what it cannot reach for 0."""
    module, x = GRU(C, D), torch.randn(1, 4, C)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.functional.hessian(lambda x: module(x)[0].sum(), x)


def test_second_derivatives_with_plans_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    choose("none", monkeypatch)
    module, x = PeepholeLSTM(C, D), torch.randn(1, 4, C)
    got, expected = (
        torch.autograd.functional.hessian(lambda x, run=run: run(x).sum(), x)
        for run in (lambda x: module(x)[0], lambda x: looped(module, x))
    )
    assert_close(got, expected)


def test_gradient_checkpointing() -> None:
    module, x = GRU(C, D), torch.randn(B, T, C, requires_grad=True)
    y = torch.utils.checkpoint.checkpoint(lambda x: module(x)[0], x, use_reentrant=False)
    (got,) = torch.autograd.grad(y.square().sum(), x)
    assert_close(got, torch.autograd.grad(looped(module, x).square().sum(), x)[0])


def test_a_trace_of_torchscript_holds_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    module, x = PeepholeLSTM(C, D), torch.randn(B, T, C)
    with warnings.catch_warnings(), monkeypatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # a size is a tensor here
        warnings.simplefilter("ignore")  # it is deprecated, and warns of every size it fixes
        traced = torch.jit.trace(module, (x,))
    other = torch.randn(B, T, C)
    assert_close(traced(other)[0], looped(module, other))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_make_plans_of_their_own(copied) -> None:
    module, x = GRU(C, D), torch.randn(B, T, C)
    module(x)
    assert module in fused._plans
    assert not any("plan" in name for name in vars(module))
    other = copied(module)
    assert other not in fused._plans
    with torch.no_grad():
        other.weight_ih.mul_(2)
    assert_close(other(x)[0], looped(other, x))
    assert_close(module(x)[0], looped(module, x))
    assert other in fused._plans


def test_two_threads_run_one_module() -> None:
    """The first calls meet while the plan is made, the others while it runs."""
    module = PeepholeLSTM(C, D)
    chunks = [torch.randn(2 + i % 3, 5 + i % 7, C, requires_grad=True) for i in range(48)]

    def run(x: Tensor) -> tuple[Tensor, Tensor]:
        y, _ = module(x)
        return y, torch.autograd.grad(y.square().sum(), x)[0]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, chunks))
    for x, (y, gradient) in zip(chunks, found, strict=True):
        expected = looped(module, x)
        assert_close(y, expected)
        assert_close(gradient, torch.autograd.grad(expected.square().sum(), x)[0])


def test_autocast() -> None:
    module, x = PeepholeLSTM(C, D), torch.randn(B, T, C)
    with torch.autocast("cpu", torch.bfloat16):
        got, expected = module(x)[0], looped(module, x)
    assert_close(got, expected)
    assert (got - looped(module, x)).abs().max() > 1e-5  # it did run in bfloat16
